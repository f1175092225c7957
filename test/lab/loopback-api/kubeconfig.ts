import type { CertificateAuthority } from '../certificates/certificate-authority.ts';
import type { Certificate } from '../certificates/certificate.ts';

export interface KubeconfigOptions {
  readonly format?: 'json' | 'yaml';
  readonly auth?: 'token' | 'certificate' | 'none';
  /** Replaces the server's own value. */
  readonly server?: string;
  readonly user?: object;
  readonly cluster?: object;
}

interface Facts {
  readonly url: string;
  readonly authority: CertificateAuthority;
  readonly clientCertificate: Certificate;
  readonly token: string | undefined;
}

/** A kubeconfig for the server, everything inline. */
export function formatKubeconfig(
  facts: Facts,
  { format = 'json', auth = 'token', server, user, cluster }: KubeconfigOptions,
): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { certificatePem, keyPem } = facts.clientCertificate;
  const users = {
    token: facts.token === undefined ? {} : { token: facts.token },
    certificate: { 'client-certificate-data': base64(certificatePem), 'client-key-data': base64(keyPem) },
    none: {},
  };
  const ca = facts.url.startsWith('https:')
    ? { 'certificate-authority-data': base64(facts.authority.certificatePem) }
    : {};
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'loopback',
    contexts: [{ name: 'loopback', context: { cluster: 'loopback', user: 'podwire' } }],
    clusters: [{ name: 'loopback', cluster: cluster ?? { server: server ?? facts.url, ...ca } }],
    users: [{ name: 'podwire', user: user ?? users[auth] }],
  };
  return format === 'json' ? `${JSON.stringify(config, undefined, 2)}\n` : toYaml(config);
}

// Enough for the object above: JSON's scalars and empty lists are YAML's too.
function toYaml(value: unknown, indent = ''): string {
  if (Array.isArray(value))
    return value.map((item) => `${indent}- ${toYaml(item, `${indent}  `).trimStart()}`).join('');
  if (typeof value !== 'object' || value === null) return `${JSON.stringify(value)}\n`;
  const lines = Object.entries<unknown>({ ...value }).map(([key, item]) => {
    if (typeof item !== 'object' || item === null || Object.keys(item).length === 0)
      return `${indent}${key}: ${JSON.stringify(item)}\n`;
    return `${indent}${key}:\n${toYaml(item, `${indent}  `)}`;
  });
  return lines.join('');
}

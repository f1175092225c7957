import type { Certificate } from '../certificates/certificate.ts';

/** A kubeconfig with one context and everything inline. As JSON it is valid YAML. */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly [
    {
      readonly name: string;
      readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
    },
  ];
  readonly users: readonly [{ readonly name: string; readonly user: KubeconfigUser }];
  readonly contexts: readonly [
    { readonly name: string; readonly context: { readonly cluster: string; readonly user: string } },
  ];
  readonly 'current-context': string;
}

export type KubeconfigUser =
  | { readonly token: string }
  | { readonly 'client-certificate-data': string; readonly 'client-key-data': string };

/** A kubeconfig for the server whose certificate the authority has signed. */
export function makeKubeconfig(
  server: string,
  certificateAuthorityPem: string,
  credentials: { readonly token: string } | Certificate,
): Kubeconfig {
  const name = 'podwire-test';
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(certificateAuthorityPem) } }],
    users: [{ name, user: formatUser(credentials) }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}

function formatUser(credentials: { readonly token: string } | Certificate): KubeconfigUser {
  if ('token' in credentials) return { token: credentials.token };
  return {
    'client-certificate-data': base64(credentials.certificatePem),
    'client-key-data': base64(credentials.keyPem),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

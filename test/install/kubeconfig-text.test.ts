import { describe, expect, it } from 'vitest';
import { parseKubeconfig } from '../../src/cluster/credentials/kubeconfig.ts';
import type { ApiConnection, TlsSettings } from '../../src/cluster/credentials/connection.ts';
import { makeSecret } from '../../src/cluster/credentials/secret.ts';
import { parseServerUrl } from '../../src/cluster/wire/server-url.ts';
import { formatKubeconfig } from '../../src/install/kubeconfig-text.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';

function connection(tls: Partial<TlsSettings> = {}, server = 'https://[fd00::1]:6443'): ApiConnection {
  const full = {
    verification: 'full',
    certificateAuthority: { text: PEM, source: 'a test' },
    clientCertificate: undefined,
    serverName: undefined,
  } as const;
  return {
    server: parseServerUrl(server),
    serverSource: 'a test',
    token: makeSecret('of the installer', 'a test'),
    tls: { ...full, ...tls },
  };
}
const read = (from: ApiConnection) =>
  parseKubeconfig(JSON.parse(formatKubeconfig(from, makeSecret('of.the.plugin', 'a test')).reveal()), {
    path: '/a/kubeconfig',
    what: 'kubeconfig',
    namedBy: 'a test',
  });

describe('the kubeconfig', () => {
  it('is what the plugin reads: the same server and authority, its own token', () =>
    expect(read(connection())).toMatchObject({
      server: 'https://[fd00::1]:6443',
      isVerificationOff: false,
      certificateAuthority: { kind: 'inline', text: PEM },
      token: { kind: 'inline', text: 'of.the.plugin' },
    }));
  it('disables verification if the installer was configured to', () =>
    expect(read(connection({ verification: 'off', certificateAuthority: undefined }))).toMatchObject({
      isVerificationOff: true,
      certificateAuthority: undefined,
    }));
  it('keeps the name in the certificate', () =>
    expect(read(connection({ serverName: 'kubernetes' }))).toMatchObject({ serverName: 'kubernetes' }));
  it("does not contain the installer's own token", () =>
    expect(formatKubeconfig(connection(), makeSecret('t', 'a test')).reveal()).not.toContain('of the installer'));
});

import type { ApiConnection } from '../../../../src/cluster/credentials/connection.ts';
import { makeSecret } from '../../../../src/cluster/credentials/secret.ts';
import { parseServerUrl } from '../../../../src/cluster/wire/server-url.ts';
import type { Certificate } from '../../../lab/certificates/certificate.ts';

/** Who the server must be, and who podwire is. */
export interface TestIdentities {
  /** Certificates in PEM. */
  readonly authorities: string;
  /** By default the address of the server. */
  readonly serverName?: string | undefined;
  readonly client?: Pick<Certificate, 'certificatePem' | 'keyPem'> | undefined;
}

/** How podwire connects to a server on a port of 127.0.0.1 that is verified by these authorities. */
export function connectionOf({ authorities, serverName, client }: TestIdentities, port: number): ApiConnection {
  const source = 'the test';
  return {
    server: parseServerUrl(`https://127.0.0.1:${port}`),
    serverSource: source,
    tls: {
      verification: 'full',
      certificateAuthority: { text: authorities, source },
      clientCertificate: client && {
        certificate: { text: client.certificatePem, source },
        key: makeSecret(client.keyPem, source),
      },
      serverName,
    },
    token: undefined,
  };
}

import type { Certificate, CertificateContents } from '../../../lab/certificates/certificate.ts';
import { extendedKeyUsage, isNoAuthority, keyUsage } from '../../../lab/certificates/extensions.ts';
import { authority, caseOf, pem, server, type TlsCase } from './tls-case.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificates of the client, for servers that require one, and that speak either version of TLS. */
export function clientCases(): readonly TlsCase[] {
  return (['TLSv1.2', 'TLSv1.3'] as const).flatMap(casesWith);
}

function casesWith(version: 'TLSv1.2' | 'TLSv1.3'): readonly TlsCase[] {
  const root = authority('root');
  const clients = authority('authority of clients');
  const intermediate = authority('intermediate of clients', {}, clients);
  const extensions = [isNoAuthority, keyUsage('digitalSignature'), extendedKeyUsage('client')];
  const client = (issuer = clients, contents: Partial<CertificateContents> = {}) =>
    server(issuer, { commonName: 'client', extensions, ...contents });
  const requiring = (name: string, verdict: TlsCase['verdict'], identity?: Certificate) => {
    const plain = caseOf(`that requires a certificate over ${version}, ${name}`, verdict, [server(root)], [root], {
      ...(identity && { client: identity }),
    });
    const settings = { ca: clients.certificatePem, requestCert: true, minVersion: version, maxVersion: version };
    return { ...plain, server: { ...plain.server, ...settings } };
  };
  const below = client(intermediate);
  const expired = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  return [
    requiring('from a client that has none', 'rejected'),
    requiring('from a client that has one', 'accepted', client()),
    requiring('from a client whose key is RSA', 'accepted', client(clients, { key: 'RSA-2048' })),
    requiring('from a client whose key is Ed25519', 'accepted', client(clients, { key: 'Ed25519' })),
    requiring('from a client of another authority', 'rejected', client(root)),
    requiring('from a client whose certificate has expired', 'rejected', client(clients, expired)),
    requiring('from a client that omits its intermediate', 'rejected', below),
    requiring('from a client that sends its intermediate', 'accepted', {
      certificatePem: pem(below, intermediate),
      keyPem: below.keyPem,
    }),
    requiring('from a client whose certificate and key are of two pairs', 'rejected', {
      certificatePem: client().certificatePem,
      keyPem: client().keyPem,
    }),
    requiring('from a client whose certificate is damaged', 'rejected', {
      certificatePem: client().certificatePem.replace(/\n.{30}/, '\n'),
      keyPem: client().keyPem,
    }),
    requiring('from a client whose key is damaged', 'rejected', damagedKey(client())),
  ];
}

function damagedKey({ certificatePem, keyPem }: Certificate): Certificate {
  return { certificatePem, keyPem: keyPem.replace(/\n.{30}/, '\n') };
}

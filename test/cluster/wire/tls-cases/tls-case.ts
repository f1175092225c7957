import type { TlsOptions } from 'node:tls';
import { makeCertificate, type Certificate, type SigningCertificate } from '../../../lab/certificates/certificate.ts';
import {
  alternativeNames,
  extendedKeyUsage,
  isAuthority,
  isNoAuthority,
  keyUsage,
} from '../../../lab/certificates/extensions.ts';

/** A server, and how a client verifies it. */
export interface TlsCase {
  /** Continues the sentence "the server is accepted" or "the server is rejected". */
  readonly name: string;
  readonly server: Pick<
    TlsOptions,
    'cert' | 'key' | 'ca' | 'requestCert' | 'minVersion' | 'maxVersion' | 'ALPNProtocols' | 'ciphers' | 'ecdhCurve'
  >;
  /** Certificates in PEM. */
  readonly authorities: string;
  /** The name or the address that the server must prove. */
  readonly serverName: string;
  readonly client?: Certificate;
  /** What Go and podwire decide. */
  readonly verdict: Verdict;
  /** Why Node decides otherwise. */
  readonly nodeDiffers?: string;
}

export type Verdict = 'accepted' | 'rejected';

/** The name of the server of most cases. */
export const SERVER_NAME = 'api.cluster.example';

/** What an authority's certificate has by default. */
export const AUTHORITY: readonly Uint8Array[] = [isAuthority(), keyUsage('keyCertSign', 'cRLSign')];

/** What a server's certificate has by default, besides its names. */
export const SERVER: readonly Uint8Array[] = [
  isNoAuthority,
  keyUsage('digitalSignature', 'keyEncipherment'),
  extendedKeyUsage('server'),
];

/** The certificate of an authority: with the defaults, except for what is given. */
export function authority(
  commonName: string,
  contents: Partial<Parameters<typeof makeCertificate>[0]> = {},
  issuer?: SigningCertificate,
): SigningCertificate {
  return makeCertificate({ commonName, extensions: AUTHORITY, ...contents }, issuer);
}

/** The certificate of a server: with the defaults, except for what is given. */
export function server(
  issuer: SigningCertificate | undefined,
  contents: Partial<Parameters<typeof makeCertificate>[0]> = {},
): SigningCertificate {
  const extensions = [...SERVER, alternativeNames(SERVER_NAME)];
  return makeCertificate({ commonName: 'server', extensions, ...contents }, issuer);
}

/** A server that sends this chain, its own certificate first, for a client that knows these authorities. */
export function caseOf(
  name: string,
  verdict: Verdict,
  [own, ...others]: readonly [Certificate, ...Certificate[]],
  authorities: readonly Certificate[],
  more: Partial<TlsCase> = {},
): TlsCase {
  return {
    name,
    verdict,
    server: { cert: pem(own, ...others), key: own.keyPem },
    authorities: pem(...authorities),
    serverName: SERVER_NAME,
    ...more,
  };
}

export function pem(...certificates: readonly Certificate[]): string {
  return certificates.map(({ certificatePem }) => certificatePem).join('');
}

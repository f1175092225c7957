import { TlsError } from './tls-session.ts';
import type { ApiConnection } from '../credentials/connection.ts';

/**
 * Explains why the server or our certificate was not trusted, and what to correct, because trying again does not help.
 * Undefined for failures of another kind.
 *
 * @param code the name of the failure in OpenSSL or Node.js
 */
export function explainTlsFailure(code: string, cause: unknown, connection: ApiConnection): string | undefined {
  const { server, serverSource, tls } = connection;
  const kind =
    FAILURES[code] ??
    (code.startsWith('X509_V_ERR_') ? 'use' : undefined) ??
    (/^ERR_SSL_.*ALERT_(BAD_CERTIFICATE|.*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code) ? 'ours' : undefined);
  if (kind === undefined) return undefined;
  const authority =
    tls?.certificateAuthority?.source ?? 'the public roots, because no certificate authority is configured';
  const certificate = tls?.clientCertificate?.certificate.source;
  switch (kind) {
    case 'authority':
      return (
        `API server ${server.text} is not trusted (${code}): its certificate was not signed by ${authority}: ` +
        "put the cluster's CA there"
      );
    case 'use':
      return (
        `API server ${server.text} is not trusted (${code}): its chain has a certificate that is not permitted for this: ` +
        'check its key usage, basic constraints and name constraints, and issue a new one'
      );
    case 'weak':
      return (
        `API server ${server.text} is not trusted (${code}): a key or signature in its chain of certificates is too weak: ` +
        'issue new ones, with RSA keys of 2048 bits or more, or with ECDSA keys, and with SHA-256 or better'
      );
    case 'name': {
      const expected = tls?.serverName ?? server.host;
      const names = cause instanceof TlsError ? describeNames(cause) : '';
      return (
        `API server ${server.text} is not trusted (${code}): ` +
        `its certificate is not for ${JSON.stringify(expected)}${names}: use one of its names in ${serverSource}, or tls-server-name`
      );
    }
    case 'time':
      return (
        `API server ${server.text} is not trusted (${code}): its certificate is not valid at this time: ` +
        "renew it, or set this machine's clock"
      );
    case 'protocol':
      return (
        `API server ${server.text} does not speak TLS, or no version or cipher that podwire supports (${code}): ` +
        `check the scheme and port in ${serverSource}; the minimum is TLS 1.2`
      );
    case 'ours':
      return certificate === undefined
        ? `API server ${server.text} requires a client certificate (${code}), and none is configured`
        : `API server ${server.text} refused the client certificate (${code}): ${certificate}: ` +
            'it may have expired, or be from another authority';
    default:
      return kind satisfies never;
  }
}

function describeNames({ certificateNames }: TlsError): string {
  return certificateNames === '' ? '' : `, but for ${JSON.stringify(certificateNames.slice(0, 300))}`;
}

type Failure = 'authority' | 'use' | 'weak' | 'name' | 'time' | 'protocol' | 'ours';

const FAILURES: Readonly<Record<string, Failure>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'authority',
  CERT_SIGNATURE_FAILURE: 'authority',
  CERT_CHAIN_TOO_LONG: 'authority',
  CERT_UNTRUSTED: 'authority',
  CERT_REJECTED: 'authority',
  CERT_REVOKED: 'authority',
  INVALID_CA: 'use',
  INVALID_PURPOSE: 'use',
  PATH_LENGTH_EXCEEDED: 'use',
  UNHANDLED_CRITICAL_EXTENSION: 'use',
  PERMITTED_VIOLATION: 'use',
  EXCLUDED_VIOLATION: 'use',
  HOSTNAME_MISMATCH: 'name',
  IP_ADDRESS_MISMATCH: 'name',
  EE_KEY_TOO_SMALL: 'weak',
  CA_KEY_TOO_SMALL: 'weak',
  CA_MD_TOO_WEAK: 'weak',
  CERT_HAS_EXPIRED: 'time',
  CERT_NOT_YET_VALID: 'time',
  ERR_SSL_WRONG_VERSION_NUMBER: 'protocol',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'protocol',
  ERR_SSL_DATA_LENGTH_TOO_LONG: 'protocol',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'protocol',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'protocol',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'protocol',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'name',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'protocol',
};

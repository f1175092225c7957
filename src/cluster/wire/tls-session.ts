import type { Readiness } from '../../system/readiness.ts';
import { KernelError, formatErrno } from '../../system/kernel-error.ts';
import { openOpenSsl, SSL, VERDICTS, X509, type OpenSsl } from './openssl.ts';
import { readCertificateNames, verifyServer } from './server-certificates.ts';

/** The identity that the server must prove, the authorities that can confirm it, and our own identity. */
export interface TlsIdentities {
  /** `off`: any server is accepted. */
  readonly verification: 'full' | 'off';
  readonly serverName: ServerName;
  /** Certificates in PEM. Each of them is a root, also an intermediate one or the server's own, as in Go. */
  readonly authorities: readonly string[];
  /** A certificate, with those that lead to its root, and its key, in PEM. */
  readonly client: { readonly certificate: string; readonly key: string } | undefined;
}

/** What a server's certificate must be for: a DNS name without a dot at either end, or an address of 4 or 16 bytes. */
export type ServerName =
  | { readonly kind: 'dns'; readonly text: string }
  | { readonly kind: 'address'; readonly bytes: Uint8Array };

/** One side of a TLS connection over a socket that never blocks. Disposing of it leaves the socket open. */
export interface TlsSession extends Disposable {
  /**
   * Continues the handshake. When it is done, the server is verified.
   *
   * @returns `done`, or what the socket must be ready for before the next call
   * @throws {TlsError} the server or this client is not trusted, or the server does not speak TLS; {@link KernelError} ECONNRESET
   */
  shakeHands(): 'done' | 'ended' | Readiness;
  /** As {@link TcpSocket.read}. Also throws {@link TlsError}: TLS 1.3 reports a refused client here. */
  read(buffer: Uint8Array): number | Readiness;
  /** As {@link TcpSocket.write}. */
  write(bytes: Uint8Array): number | Readiness;
}

/** A failure of TLS. `code` is what node:tls calls it: `CERT_HAS_EXPIRED`, `ERR_SSL_WRONG_VERSION_NUMBER`. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code: string;
  /** The names in the server's certificate: `DNS:api.example, IP Address:10.0.0.1`. */
  readonly certificateNames: string;

  constructor(code: string, message: string, certificateNames = '') {
    super(message);
    this.code = code;
    this.certificateNames = certificateNames;
  }
}

/** OpenSSL does not accept our own certificates or key. `code` names the reason. */
export class TlsIdentityError extends Error {
  override readonly name = 'TlsIdentityError';
  readonly code: string;

  constructor(code: string) {
    super(`OpenSSL refused a certificate or a key: ${code}`);
    this.code = code;
  }
}

/** What the connections of a client have in common. Disposing of it frees it once its sessions are free. */
export interface TlsContext extends Disposable {
  /** @param fd a connected socket that never blocks */
  openSession(fd: number): TlsSession;
}

/**
 * Prepares TLS connections with the OpenSSL that is a part of Node's executable. They do what those of node:tls do, which takes longer to
 * load than all API requests of an ADD take together; the tests compare the two, and Go. All calls are made on this thread, because OpenSSL
 * keeps its errors per thread.
 *
 * @throws {TlsIdentityError}
 */
export function openTlsContext({ verification, serverName, authorities, client }: TlsIdentities): TlsContext {
  const openssl = openOpenSsl();
  openssl.call('ERR_clear_error');
  using resources = new DisposableStack();
  const context = openssl.callForPointer('SSL_CTX_new', openssl.callForPointer('TLS_client_method'));
  resources.defer(() => void openssl.call('SSL_CTX_free', context));
  configure(openssl, context);
  let refusedNames = '';
  if (verification === 'full') {
    openssl.call('SSL_CTX_set_verify', context, SSL.VERIFY_PEER, null);
    const verify = openssl.makeCallback('int (void *verifying, void *argument)', (verifying) => {
      const verdict = verifyServer(openssl, BigInt(verifying));
      openssl.call('X509_STORE_CTX_set_error', verifying, verdict);
      // A certificate that is refused can only be read inside the verification.
      if (verdict !== X509.V_OK) refusedNames = readCertificateNames(openssl, BigInt(verifying));
      return Number(verdict === X509.V_OK);
    });
    openssl.call('SSL_CTX_set_cert_verify_callback', context, resources.use(verify).pointer, null);
  }
  requireName(openssl, context, serverName);
  addAuthorities(openssl, context, authorities);
  if (client !== undefined) useClient(openssl, context, client);
  const owned = resources.move();
  return {
    openSession(fd) {
      const session = openssl.callForPointer('SSL_new', context);
      openssl.call('SSL_set_fd', session, fd);
      if (serverName.kind === 'dns') {
        openssl.call('SSL_ctrl', session, SSL.CTRL_SET_TLSEXT_HOSTNAME, 0, cString(serverName.text));
      }
      return sessionOf(openssl, session, verification === 'full' ? () => refusedNames : undefined);
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** @param refusedNames the names in the certificate that was refused; `undefined` if none is verified */
function sessionOf(openssl: OpenSsl, session: bigint, refusedNames: (() => string) | undefined): TlsSession {
  const attempt = (operation: string, call: () => number): number | Readiness | 'ended' => {
    openssl.call('ERR_clear_error'); // SSL_get_error(3) requires it
    const result = call();
    if (result > 0) return result;
    const errno = openssl.errno();
    switch (openssl.call('SSL_get_error', session, result)) {
      case SSL.ERROR_WANT_READ:
        return 'readable';
      case SSL.ERROR_WANT_WRITE:
        return 'writable';
      case SSL.ERROR_ZERO_RETURN:
        return 'ended';
      case SSL.ERROR_SYSCALL:
        throw new KernelError(operation, 'the connection', formatErrno(errno));
      default:
        throw failureOf(openssl, session, refusedNames?.());
    }
  };
  return {
    shakeHands() {
      const outcome = attempt('establish', () => openssl.call('SSL_connect', session));
      if (typeof outcome !== 'number') return outcome;
      // OpenSSL does not get here for a server that is not trusted. This would hold even if the verification were set up wrongly.
      const isTrusted = openssl.call('SSL_get_verify_result', session) === X509.V_OK;
      if (refusedNames !== undefined && !isTrusted) throw failureOf(openssl, session, refusedNames());
      return 'done';
    },
    read(buffer) {
      const outcome = attempt('read from', () => openssl.call('SSL_read', session, buffer, buffer.length));
      return outcome === 'ended' ? 0 : outcome;
    },
    write(bytes) {
      const outcome = attempt('write to', () => openssl.call('SSL_write', session, bytes, bytes.length));
      if (outcome === 'ended') throw new KernelError('write to', 'the connection', 'EPIPE');
      return outcome;
    },
    [Symbol.dispose]: () => void openssl.call('SSL_free', session),
  };
}

function configure(openssl: OpenSsl, context: bigint): void {
  const control = (command: number, value: number, text: Uint8Array | null = null): number =>
    openssl.call('SSL_CTX_ctrl', context, command, value, text);
  control(SSL.CTRL_SET_MAX_CERT_LIST, MAX_CERTIFICATES_BYTES);
  assertAccepted(openssl, control(SSL.CTRL_SET_MIN_PROTO_VERSION, SSL.TLS1_2_VERSION));
  // One small key share: the hybrid with ML-KEM costs a millisecond, and protects a token for longer than it is valid.
  assertAccepted(openssl, control(SSL.CTRL_SET_GROUPS_LIST, 0, cString('X25519:P-256:P-384:P-521')));
  assertAccepted(openssl, openssl.call('SSL_CTX_set_cipher_list', context, TLS_1_2_CIPHERS));
  // A write may send a part, and the rest may be elsewhere in memory at the next try.
  control(SSL.CTRL_MODE, SSL.MODE_ENABLE_PARTIAL_WRITE | SSL.MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A read returns after each record, so that a server that sends session tickets without end cannot keep this thread busy.
  control(SSL.CTRL_CLEAR_MODE, SSL.MODE_AUTO_RETRY);
  // HTTP says where a response ends, so that a connection may end without close_notify, as in node:tls.
  openssl.call('SSL_CTX_set_options', context, SSL.OP_IGNORE_UNEXPECTED_EOF | SSL.OP_NO_RENEGOTIATION);
  openssl.call('SSL_CTX_set_alpn_protos', context, ALPN_PROTOCOLS, ALPN_PROTOCOLS.length);
}

function addAuthorities(openssl: OpenSsl, context: bigint, texts: readonly string[]): void {
  const store = openssl.callForPointer('SSL_CTX_get_cert_store', context);
  openssl.call('X509_STORE_set_flags', store, X509.V_FLAG_PARTIAL_CHAIN);
  for (const pem of texts) {
    const add = (certificate: bigint): void =>
      assertAccepted(openssl, openssl.call('X509_STORE_add_cert', store, certificate));
    readCertificates(openssl, pem, 'skip', add); // as Go does
  }
}

function useClient(openssl: OpenSsl, context: bigint, client: NonNullable<TlsIdentities['client']>): void {
  let isFirst = true;
  readCertificates(openssl, client.certificate, 'reject', (certificate) => {
    const outcome = isFirst
      ? openssl.call('SSL_CTX_use_certificate', context, certificate)
      : openssl.call('SSL_CTX_ctrl', context, SSL.CTRL_CHAIN_CERT, SSL.CHAIN_CERT_IS_COPIED, certificate);
    assertAccepted(openssl, outcome);
    isFirst = false;
  });
  withMemoryBio(openssl, client.key, (bio) => {
    const key = openssl.callForPointer('PEM_read_bio_PrivateKey', bio, null, null, NO_PASSWORD);
    if (key === 0n) throw new TlsIdentityError(takeReason(openssl));
    const outcome = openssl.call('SSL_CTX_use_PrivateKey', context, key);
    openssl.call('EVP_PKEY_free', key);
    assertAccepted(openssl, outcome);
    assertAccepted(openssl, openssl.call('SSL_CTX_check_private_key', context));
  });
}

/** Calls `use` for each certificate, and at least once; it is freed afterwards. As in Go, what is around the blocks is ignored. */
function readCertificates(
  openssl: OpenSsl,
  pem: string,
  damaged: 'skip' | 'reject',
  use: (certificate: bigint) => void,
): void {
  let count = 0;
  for (const [block] of pem.matchAll(CERTIFICATE_BLOCKS)) {
    withMemoryBio(openssl, block, (bio) => {
      const certificate = openssl.callForPointer('PEM_read_bio_X509', bio, null, null, NO_PASSWORD);
      if (certificate === 0n && damaged === 'reject') throw new TlsIdentityError(takeReason(openssl));
      if (certificate === 0n) return;
      count++;
      try {
        use(certificate);
      } finally {
        openssl.call('X509_free', certificate);
      }
    });
  }
  openssl.call('ERR_clear_error'); // of those that were skipped
  if (count === 0) throw new TlsIdentityError('no certificate');
}

const CERTIFICATE_BLOCKS = /^-----BEGIN CERTIFICATE-----[^-]*^-----END CERTIFICATE-----/gm;

function withMemoryBio(openssl: OpenSsl, text: string, use: (bio: bigint) => void): void {
  const bytes = Buffer.from(text);
  const bio = openssl.callForPointer('BIO_new_mem_buf', bytes, bytes.length);
  try {
    use(bio);
  } finally {
    openssl.call('BIO_free', bio);
    bytes.fill(0); // it may be a key
  }
}

/** As in Go, only subject alternative names count, and an asterisk stands for the whole first label. */
function requireName(openssl: OpenSsl, context: bigint, name: ServerName): void {
  const parameters = openssl.callForPointer('SSL_CTX_get0_param', context);
  // OpenSSL has other rules for asterisks. Without them it only compares names.
  openssl.call('X509_VERIFY_PARAM_set_purpose', parameters, X509.PURPOSE_ANY); // verifyServer checks it
  const flags = X509.CHECK_FLAG_NEVER_CHECK_SUBJECT | X509.CHECK_FLAG_NO_WILDCARDS;
  openssl.call('X509_VERIFY_PARAM_set_hostflags', parameters, flags);
  if (name.kind === 'address') {
    assertAccepted(openssl, openssl.call('X509_VERIFY_PARAM_set1_ip', parameters, name.bytes, name.bytes.length));
    return;
  }
  const [, domain] = /^[^.]+(\.[^.].*)?$/.exec(name.text) ?? [];
  for (const text of domain === undefined ? [name.text] : [name.text, `*${domain}`]) {
    // To OpenSSL, no text is any name, and a dot in front is any name below.
    if (!/^[^.\0][^\0]*$/.test(text)) throw new TypeError('the name of a server is not valid');
    assertAccepted(openssl, openssl.call('X509_VERIFY_PARAM_add1_host', parameters, text, 0));
  }
}

function assertAccepted(openssl: OpenSsl, outcome: number): void {
  if (outcome !== 1) throw new TlsIdentityError(takeReason(openssl));
}

function failureOf(openssl: OpenSsl, session: bigint, refusedNames: string | undefined): TlsError {
  const reason = takeReason(openssl);
  const verdict = refusedNames === undefined ? X509.V_OK : openssl.call('SSL_get_verify_result', session);
  if (verdict !== X509.V_OK) {
    const words = openssl.callForText('X509_verify_cert_error_string', verdict);
    return new TlsError(VERDICTS[verdict] ?? `X509_V_ERR_${verdict}`, words, refusedNames);
  }
  return new TlsError(`ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`, reason);
}

/** The cause is the first of several errors, as node:tls also reports. node:crypto would take those that are left for its own. */
function takeReason(openssl: OpenSsl): string {
  const reason = openssl.callForText('ERR_reason_error_string', openssl.call('ERR_peek_error'));
  openssl.call('ERR_clear_error');
  return reason || 'unknown error';
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}

/** An encrypted key then fails. With a null pointer, OpenSSL would ask for a password on the terminal. */
const NO_PASSWORD = cString('');

/** As in Go (crypto/tls, maxHandshakeCertificateMsg). */
const MAX_CERTIFICATES_BYTES = 262_144;

const ALPN_PROTOCOLS = Buffer.from('\x08http/1.1', 'latin1');

/** Node's (crypto.constants.defaultCipherList). As in Go, all have forward secrecy; level 1 permits RSA keys of 1024 bits. */
const TLS_1_2_CIPHERS =
  'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'DHE-RSA-AES128-GCM-SHA256:HIGH:!kRSA:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA:@SECLEVEL=1';

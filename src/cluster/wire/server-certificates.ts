// Which certificates a server may prove its name with: what OpenSSL accepts, by the rules of Go's crypto/x509.
import { X509, type OpenSsl } from './openssl.ts';

/**
 * Verifies the certificates that a server has sent. OpenSSL checks each path to an authority: signatures, dates, names, limits and keys. It
 * tries one path, whereas Go tries all, and the two differ in what a certificate may be used for.
 *
 * @param verifying the X509_STORE_CTX of the handshake
 * @returns a verdict of X509_verify_cert(3)
 */
export function verifyServer(openssl: OpenSsl, verifying: bigint): number {
  let verdict = verify(openssl, verifying);
  if (verdict === X509.V_OK) return verdict;
  for (const path of findPaths(openssl, verifying)) {
    const other = verifyPath(openssl, verifying, path);
    if (other === X509.V_OK) return other;
    // An authority with the same name is not the one that matters.
    if (verdict === X509.V_ERR_CERT_SIGNATURE_FAILURE) verdict = other;
  }
  return verdict;
}

/**
 * Reads the names in the server's certificate: `DNS:api.example, IP Address:10.0.0.1`; empty if it has none.
 *
 * @param verifying the X509_STORE_CTX of a verification
 */
export function readCertificateNames(openssl: OpenSsl, verifying: bigint): string {
  const certificate = openssl.callForPointer('X509_STORE_CTX_get0_cert', verifying);
  const location = openssl.call('X509_get_ext_by_NID', certificate, X509.NID_SUBJECT_ALT_NAME, -1);
  if (location < 0) return '';
  const out = openssl.callForPointer('BIO_new', openssl.callForPointer('BIO_s_mem'));
  try {
    openssl.call('X509V3_EXT_print', out, openssl.callForPointer('X509_get_ext', certificate, location), 0, 0);
    const bytes = Buffer.alloc(4096);
    const length = openssl.call('BIO_read', out, bytes, bytes.length);
    return bytes.toString('latin1', 0, Math.max(0, length));
  } finally {
    openssl.call('BIO_free', out);
  }
}

function verify(openssl: OpenSsl, verifying: bigint): number {
  if (openssl.call('X509_verify_cert', verifying) !== 1) {
    return openssl.call('X509_STORE_CTX_get_error', verifying) || X509.V_ERR_UNSPECIFIED;
  }
  return applyRulesOfGo(openssl, listOf(openssl, openssl.callForPointer('X509_STORE_CTX_get0_chain', verifying)));
}

/** @see Certificate.CheckSignatureFrom and checkChainForKeyUsage in Go's crypto/x509 */
function applyRulesOfGo(openssl: OpenSsl, path: readonly bigint[]): number {
  for (const [index, certificate] of path.entries()) {
    // Bits for the usages that are named, or all bits if none is.
    const usages = openssl.call('X509_get_extended_key_usage', certificate);
    if ((usages & (X509.XKU_SSL_SERVER | X509.XKU_ANYEKU)) === 0) return X509.V_ERR_INVALID_PURPOSE;
    const issuer = path[index + 1];
    if (issuer === undefined) break;
    if (!isFirstVersion(openssl, issuer) && openssl.call('X509_check_ca', issuer) !== X509.CA_BY_BASIC_CONSTRAINTS) {
      return X509.V_ERR_INVALID_CA;
    }
    // OpenSSL ignores case, spaces and encodings.
    const nameOf = (type: 'issuer' | 'subject', of: bigint): string =>
      digestName(openssl, openssl.callForPointer(`X509_get_${type}_name`, of));
    if (nameOf('issuer', certificate) !== nameOf('subject', issuer)) {
      return X509.V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    }
  }
  return X509.V_OK;
}

function digestName(openssl: OpenSsl, name: bigint): string {
  const digest = Buffer.alloc(32);
  openssl.call('X509_NAME_digest', name, openssl.callForPointer('EVP_sha256'), digest, null);
  return digest.toString('latin1');
}

function isFirstVersion(openssl: OpenSsl, certificate: bigint): boolean {
  return openssl.call('X509_get_version', certificate) === 0;
}

/**
 * Lists paths from the server's certificate to an authority, by the names of their issuers alone.
 *
 * @returns the server's certificate first, the authority last
 */
function* findPaths(openssl: OpenSsl, verifying: bigint): Generator<readonly bigint[]> {
  const sent = listOf(openssl, openssl.callForPointer('X509_STORE_CTX_get0_untrusted', verifying));
  const bySubject = (certificates: readonly bigint[]): ReadonlyMap<number, readonly bigint[]> =>
    Map.groupBy(certificates, (certificate) => openssl.call('X509_subject_name_hash', certificate));
  const [authorities, others] = [bySubject(listAuthorities(openssl, verifying)), bySubject(sent)];
  let pathCount = 0;
  let stepCount = 0;
  function* extend(path: readonly bigint[], last: bigint): Generator<readonly bigint[]> {
    const issuer = openssl.call('X509_issuer_name_hash', last);
    for (const authority of authorities.get(issuer) ?? []) {
      if (pathCount++ < MAX_PATHS) yield [...path, authority];
    }
    for (const certificate of others.get(issuer) ?? []) {
      if (stepCount++ >= MAX_STEPS || pathCount >= MAX_PATHS) return;
      if (!path.includes(certificate)) yield* extend([...path, certificate], certificate);
    }
  }
  const own = openssl.callForPointer('X509_STORE_CTX_get0_cert', verifying);
  yield* extend([own], own);
}

/** Verifies one path only. Unlike OpenSSL, and as Go, it ignores key identifiers: a renewed authority may have another one. */
function verifyPath(openssl: OpenSsl, verifying: bigint, path: readonly bigint[]): number {
  using resources = new DisposableStack();
  const store = openssl.callForPointer('X509_STORE_new');
  resources.defer(() => void openssl.call('X509_STORE_free', store));
  const others = openssl.callForPointer('OPENSSL_sk_new_null');
  resources.defer(() => void openssl.call('OPENSSL_sk_free', others));
  const attempt = openssl.callForPointer('X509_STORE_CTX_new');
  resources.defer(() => void openssl.call('X509_STORE_CTX_free', attempt));

  openssl.call('X509_STORE_add_cert', store, path.at(-1) ?? null);
  for (const certificate of path.slice(0, -1)) openssl.call('OPENSSL_sk_push', others, certificate);
  const isIssuedBy = openssl.makeCallback(
    'int (void *attempt, void *certificate, void *issuer)',
    (_, certificate, issuer) => Number(path.some((each, index) => each === certificate && path[index + 1] === issuer)),
  );
  openssl.call('X509_STORE_set_check_issued', store, resources.use(isIssuedBy).pointer);
  openssl.call('X509_STORE_CTX_init', attempt, store, path[0] ?? null, others);
  const parametersOf = (context: bigint): bigint => openssl.callForPointer('X509_STORE_CTX_get0_param', context);
  openssl.call('X509_VERIFY_PARAM_set1', parametersOf(attempt), parametersOf(verifying));
  const onVerdict = openssl.makeCallback('int (int verdict, void *attempt)', (verdict) => {
    // Go accepts an authority of version 1, which cannot say that it is one.
    const isOldAuthority =
      openssl.call('X509_STORE_CTX_get_error', attempt) === X509.V_ERR_INVALID_CA &&
      openssl.callForPointer('X509_STORE_CTX_get_current_cert', attempt) === path.at(-1) &&
      isFirstVersion(openssl, path.at(-1) ?? 0n);
    if (isOldAuthority) openssl.call('X509_STORE_CTX_set_error', attempt, X509.V_OK);
    return isOldAuthority ? 1 : Number(verdict);
  });
  openssl.call('X509_STORE_CTX_set_verify_cb', attempt, resources.use(onVerdict).pointer);
  return verify(openssl, attempt);
}

/** The certificates of the client. The store keeps them. */
function listAuthorities(openssl: OpenSsl, verifying: bigint): readonly bigint[] {
  const store = openssl.callForPointer('X509_STORE_CTX_get0_store', verifying);
  const stack = openssl.callForPointer('X509_STORE_get1_all_certs', store);
  const authorities = listOf(openssl, stack);
  for (const authority of authorities) openssl.call('X509_free', authority);
  openssl.call('OPENSSL_sk_free', stack);
  return authorities;
}

function listOf(openssl: OpenSsl, stack: bigint): readonly bigint[] {
  const length = Math.max(0, openssl.call('OPENSSL_sk_num', stack));
  return Array.from({ length }, (_, index) => openssl.callForPointer('OPENSSL_sk_value', stack, index));
}

/** Go checks 100 signatures at most. */
const MAX_PATHS = 100;
/** A server may send hundreds of certificates with one name. */
const MAX_STEPS = 1000;

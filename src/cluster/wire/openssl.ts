// What podwire calls of OpenSSL, and with which numbers. tls-session.ts is the only caller.
import { openNativeLibrary, type NativeLibrary } from '../../system/native-library.ts';

/** The OpenSSL that is a part of Node's executable, which exports it for addons. */
export type OpenSsl = NativeLibrary<keyof typeof PROTOTYPES>;

/** @throws {KernelError} if koffi's addon cannot be loaded */
export function openOpenSsl(): OpenSsl {
  return openNativeLibrary(null, PROTOTYPES);
}

/** Everything that podwire calls of OpenSSL. Contexts, sessions, certificates and the like are pointers. */
const PROTOTYPES = {
  BIO_free: 'int BIO_free(void *bio)',
  BIO_new: 'void *BIO_new(void *method)',
  BIO_new_mem_buf: 'void *BIO_new_mem_buf(const void *bytes, int length)',
  BIO_read: 'int BIO_read(void *bio, void *bytes, int length)',
  BIO_s_mem: 'void *BIO_s_mem()',
  ERR_clear_error: 'void ERR_clear_error()',
  ERR_peek_error: 'unsigned long ERR_peek_error()',
  ERR_reason_error_string: 'const char *ERR_reason_error_string(unsigned long error)',
  EVP_PKEY_free: 'void EVP_PKEY_free(void *key)',
  PEM_read_bio_PrivateKey: 'void *PEM_read_bio_PrivateKey(void *bio, void *out, void *callback, const void *password)',
  PEM_read_bio_X509: 'void *PEM_read_bio_X509(void *bio, void *out, void *callback, const void *password)',
  SSL_CTX_check_private_key: 'int SSL_CTX_check_private_key(void *context)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(void *context, int command, long number, void *pointer)',
  SSL_CTX_free: 'void SSL_CTX_free(void *context)',
  SSL_CTX_get_cert_store: 'void *SSL_CTX_get_cert_store(void *context)',
  SSL_CTX_new: 'void *SSL_CTX_new(void *method)',
  SSL_CTX_get0_param: 'void *SSL_CTX_get0_param(void *context)',
  SSL_CTX_set_alpn_protos: 'int SSL_CTX_set_alpn_protos(void *context, const void *protocols, unsigned int length)',
  SSL_CTX_set_cipher_list: 'int SSL_CTX_set_cipher_list(void *context, const char *list)',
  SSL_CTX_set_options: 'uint64_t SSL_CTX_set_options(void *context, uint64_t options)',
  SSL_CTX_set_verify: 'void SSL_CTX_set_verify(void *context, int mode, void *callback)',
  SSL_CTX_use_PrivateKey: 'int SSL_CTX_use_PrivateKey(void *context, void *key)',
  SSL_CTX_use_certificate: 'int SSL_CTX_use_certificate(void *context, void *certificate)',
  SSL_connect: 'int SSL_connect(void *session)',
  SSL_ctrl: 'long SSL_ctrl(void *session, int command, long number, void *pointer)',
  SSL_free: 'void SSL_free(void *session)',
  SSL_get_error: 'int SSL_get_error(void *session, int result)',
  SSL_get_verify_result: 'long SSL_get_verify_result(void *session)',
  SSL_new: 'void *SSL_new(void *context)',
  SSL_read: 'int SSL_read(void *session, void *bytes, int length)',
  SSL_set_fd: 'int SSL_set_fd(void *session, int fd)',
  SSL_write: 'int SSL_write(void *session, const void *bytes, int length)',
  TLS_client_method: 'void *TLS_client_method()',
  X509V3_EXT_print: 'int X509V3_EXT_print(void *out, void *extension, unsigned long flags, int indent)',
  X509_STORE_CTX_get0_cert: 'void *X509_STORE_CTX_get0_cert(void *verifying)',
  X509_STORE_add_cert: 'int X509_STORE_add_cert(void *store, void *certificate)',
  X509_STORE_set_flags: 'int X509_STORE_set_flags(void *store, unsigned long flags)',
  X509_VERIFY_PARAM_add1_host: 'int X509_VERIFY_PARAM_add1_host(void *parameters, const char *name, size_t length)',
  X509_VERIFY_PARAM_set1_ip: 'int X509_VERIFY_PARAM_set1_ip(void *parameters, const void *address, size_t length)',
  X509_VERIFY_PARAM_set_hostflags: 'void X509_VERIFY_PARAM_set_hostflags(void *parameters, unsigned int flags)',
  X509_free: 'void X509_free(void *certificate)',
  X509_get_ext: 'void *X509_get_ext(void *certificate, int location)',
  X509_get_ext_by_NID: 'int X509_get_ext_by_NID(void *certificate, int nid, int lastPosition)',
  X509_verify_cert_error_string: 'const char *X509_verify_cert_error_string(long error)',
} as const;

/** From openssl/ssl.h and tls1.h of OpenSSL 3, without the prefix SSL_. */
export const SSL = {
  CTRL_MODE: 33,
  CTRL_SET_TLSEXT_HOSTNAME: 55,
  CTRL_CLEAR_MODE: 78,
  CTRL_CHAIN_CERT: 89,
  CTRL_SET_GROUPS_LIST: 92,
  CTRL_SET_MIN_PROTO_VERSION: 123,
  MODE_ENABLE_PARTIAL_WRITE: 1,
  MODE_ACCEPT_MOVING_WRITE_BUFFER: 2,
  MODE_AUTO_RETRY: 4,
  OP_IGNORE_UNEXPECTED_EOF: 0x80,
  OP_NO_RENEGOTIATION: 0x40000000,
  VERIFY_PEER: 1,
  ERROR_WANT_READ: 2,
  ERROR_WANT_WRITE: 3,
  ERROR_SYSCALL: 5,
  ERROR_ZERO_RETURN: 6,
  TLS1_2_VERSION: 0x0303,
  CHAIN_CERT_IS_COPIED: 1,
} as const;

/** From openssl/x509_vfy.h, x509v3.h and obj_mac.h, without the prefix X509_. */
export const X509 = {
  V_OK: 0,
  V_FLAG_PARTIAL_CHAIN: 0x80000,
  CHECK_FLAG_NO_WILDCARDS: 0x2,
  CHECK_FLAG_NEVER_CHECK_SUBJECT: 0x20,
  NID_SUBJECT_ALT_NAME: 85,
} as const;

/** The verdicts of X509_verify_cert(3), by their names without the prefix X509_V_ERR_, which node:tls also uses. */
export const VERDICTS: Readonly<Record<number, string>> = {
  2: 'UNABLE_TO_GET_ISSUER_CERT',
  7: 'CERT_SIGNATURE_FAILURE',
  9: 'CERT_NOT_YET_VALID',
  10: 'CERT_HAS_EXPIRED',
  18: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  19: 'SELF_SIGNED_CERT_IN_CHAIN',
  20: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  21: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  22: 'CERT_CHAIN_TOO_LONG',
  23: 'CERT_REVOKED',
  25: 'PATH_LENGTH_EXCEEDED',
  26: 'INVALID_PURPOSE',
  27: 'CERT_UNTRUSTED',
  28: 'CERT_REJECTED',
  34: 'UNHANDLED_CRITICAL_EXTENSION',
  47: 'PERMITTED_VIOLATION',
  48: 'EXCLUDED_VIOLATION',
  62: 'HOSTNAME_MISMATCH',
  64: 'IP_ADDRESS_MISMATCH',
  66: 'EE_KEY_TOO_SMALL',
  67: 'CA_KEY_TOO_SMALL',
  68: 'CA_MD_TOO_WEAK',
  79: 'INVALID_CA',
};

import { createServer, type Socket } from 'node:net';
import { openNativeLibrary } from '../../../../src/system/native-library.ts';
import { CERTIFICATE } from './tls-server.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** What a server of node:tls cannot do after the handshake. */
export type AfterHandshake =
  | 'nothing'
  | 'update its key'
  | 'ask for another key'
  | 'send more session tickets'
  | 'ask for a certificate'
  | 'ask for a new handshake';

export interface OpenSslServer extends AsyncDisposable {
  readonly port: number;
  /** What OpenSSL returned for the action, in front of each response: 1 if it was possible. */
  readonly outcomes: readonly number[];
}

/** Starts a server that sends each response in two records, and does this in front of them, or after them. */
export async function startOpenSslServer(
  version: 'TLSv1.2' | 'TLSv1.3',
  action: AfterHandshake,
  { when = 'before', times = 1 }: { readonly when?: 'before' | 'after'; readonly times?: number } = {},
): Promise<OpenSslServer> {
  const context = makeContext(version);
  const sessions: bigint[] = [];
  const sockets: Socket[] = [];
  const outcomes: number[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const session = openssl.callForPointer('SSL_new', context);
    sessions.push(session);
    sockets.push(socket);
    const [incoming, outgoing] = [memoryBio(), memoryBio()];
    openssl.call('SSL_set_bio', session, incoming, outgoing);
    openssl.call('SSL_set_accept_state', session);
    const write = (text: string): void => {
      openssl.call('SSL_write', session, Buffer.from(text), text.length);
    };
    const perform = (): void => {
      for (let count = 0; count < times; count++) {
        outcomes.push(ACTIONS[action](session));
        openssl.call('SSL_do_handshake', session);
      }
    };
    const buffer = Buffer.alloc(20_000);
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        openssl.call('BIO_write', incoming, bytes, bytes.length);
        openssl.call('SSL_do_handshake', session);
        while (openssl.call('SSL_read', session, buffer, buffer.length) > 0) {
          if (when === 'before') perform();
          write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
          write('cd');
          if (when === 'after') perform();
        }
        for (;;) {
          const length = openssl.call('BIO_read', outgoing, buffer, buffer.length);
          if (length <= 0) break;
          socket.write(Buffer.from(buffer.subarray(0, length)));
        }
        openssl.call('ERR_clear_error'); // the errors would be reported by node:crypto
      });
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    outcomes,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
      for (const session of sessions) openssl.call('SSL_free', session);
      openssl.call('SSL_CTX_free', context);
    },
  };
}

const openssl = openNativeLibrary(null, {
  BIO_free: 'int BIO_free(void *bio)',
  BIO_new: 'void *BIO_new(void *method)',
  BIO_new_mem_buf: 'void *BIO_new_mem_buf(const void *bytes, int length)',
  BIO_read: 'int BIO_read(void *bio, void *bytes, int length)',
  BIO_s_mem: 'void *BIO_s_mem()',
  BIO_write: 'int BIO_write(void *bio, const void *bytes, int length)',
  ERR_clear_error: 'void ERR_clear_error()',
  PEM_read_bio_PrivateKey: 'void *PEM_read_bio_PrivateKey(void *bio, void *out, void *callback, void *password)',
  PEM_read_bio_X509: 'void *PEM_read_bio_X509(void *bio, void *out, void *callback, void *password)',
  SSL_CTX_ctrl: 'long SSL_CTX_ctrl(void *context, int command, long number, void *pointer)',
  SSL_CTX_free: 'void SSL_CTX_free(void *context)',
  SSL_CTX_new: 'void *SSL_CTX_new(void *method)',
  SSL_CTX_use_PrivateKey: 'int SSL_CTX_use_PrivateKey(void *context, void *key)',
  SSL_CTX_use_certificate: 'int SSL_CTX_use_certificate(void *context, void *certificate)',
  SSL_do_handshake: 'int SSL_do_handshake(void *session)',
  SSL_free: 'void SSL_free(void *session)',
  SSL_key_update: 'int SSL_key_update(void *session, int type)',
  SSL_new: 'void *SSL_new(void *context)',
  SSL_new_session_ticket: 'int SSL_new_session_ticket(void *session)',
  SSL_read: 'int SSL_read(void *session, void *bytes, int length)',
  SSL_renegotiate: 'int SSL_renegotiate(void *session)',
  SSL_set_accept_state: 'void SSL_set_accept_state(void *session)',
  SSL_set_bio: 'void SSL_set_bio(void *session, void *incoming, void *outgoing)',
  SSL_verify_client_post_handshake: 'int SSL_verify_client_post_handshake(void *session)',
  SSL_write: 'int SSL_write(void *session, const void *bytes, int length)',
  TLS_server_method: 'void *TLS_server_method()',
} as const);

const ACTIONS: Readonly<Record<AfterHandshake, (session: bigint) => number>> = {
  nothing: () => 1,
  'update its key': (session) => openssl.call('SSL_key_update', session, 0),
  'ask for another key': (session) => openssl.call('SSL_key_update', session, 1),
  'send more session tickets': (session) => openssl.call('SSL_new_session_ticket', session),
  'ask for a certificate': (session) => openssl.call('SSL_verify_client_post_handshake', session),
  'ask for a new handshake': (session) => openssl.call('SSL_renegotiate', session),
};

function makeContext(version: 'TLSv1.2' | 'TLSv1.3'): bigint {
  const context = openssl.callForPointer('SSL_CTX_new', openssl.callForPointer('TLS_server_method'));
  const number = version === 'TLSv1.2' ? 0x0303 : 0x0304;
  for (const command of [SET_MIN_VERSION, SET_MAX_VERSION])
    openssl.call('SSL_CTX_ctrl', context, command, number, null);
  const read = (name: 'PEM_read_bio_X509' | 'PEM_read_bio_PrivateKey', pem: string): bigint => {
    const bytes = Buffer.from(pem);
    const bio = openssl.callForPointer('BIO_new_mem_buf', bytes, bytes.length);
    const pointer = openssl.callForPointer(name, bio, null, null, null);
    openssl.call('BIO_free', bio);
    return pointer;
  };
  openssl.call('SSL_CTX_use_certificate', context, read('PEM_read_bio_X509', CERTIFICATE.certificatePem));
  openssl.call('SSL_CTX_use_PrivateKey', context, read('PEM_read_bio_PrivateKey', CERTIFICATE.keyPem));
  return context;
}

function memoryBio(): bigint {
  return openssl.callForPointer('BIO_new', openssl.callForPointer('BIO_s_mem'));
}

/** From openssl/ssl.h. */
const SET_MIN_VERSION = 123;
const SET_MAX_VERSION = 124;

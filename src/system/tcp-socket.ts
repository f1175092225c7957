import { closeSync } from 'node:fs';
import { KernelError, formatErrno } from './kernel-error.ts';
import { openNativeLibrary } from './native-library.ts';
import { isReady, untilReady, type Readiness } from './readiness.ts';

/** An address of TCP. */
export interface TcpAddress {
  /** 4 or 16 bytes in network order. */
  readonly bytes: Uint8Array;
  readonly port: number;
}

/** A connection of TCP whose calls never block. Disposing of it closes it. */
export interface TcpSocket extends Disposable {
  readonly fd: number;
  /**
   * @returns false while the connection is being established
   * @throws {KernelError} if it could not be established: ECONNREFUSED, EHOSTUNREACH
   */
  isConnected(): boolean;
  /**
   * Reads what has arrived, at most as much as fits into the buffer.
   *
   * @returns the number of bytes; 0 at the end of the stream
   * @throws {KernelError} ECONNRESET
   */
  read(buffer: Uint8Array): number | Readiness;
  /**
   * Writes the bytes, or the first of them.
   *
   * @returns the number of bytes that were written
   * @throws {KernelError} EPIPE, ECONNRESET
   */
  write(bytes: Uint8Array): number | Readiness;
  /**
   * Waits on another thread until the socket is ready or has ended, and at most {@link MAX_WAIT_MS}: afterwards, try again. There is at most
   * one wait at a time, and the socket must not be closed during it.
   */
  wait(readiness: readonly Readiness[]): Promise<void>;
  /** Ends the connection and a wait, but does not close the socket. */
  shutDown(): void;
}

/** The longest wait. It also is how long it takes until a wait takes notice of another readiness that is needed. */
const MAX_WAIT_MS = 100;

/**
 * Starts a connection with the C library. node:net does the same, but loading it takes longer than a whole DEL of a Go plugin.
 *
 * @throws {KernelError} EMFILE, ENETUNREACH; and what loading the addon throws
 */
export function openTcpSocket(address: TcpAddress): TcpSocket {
  const { call, errno } = openNativeLibrary('libc.so.6', PROTOTYPES);
  const { family, bytes: socketAddress } = encodeSocketAddress(address);
  const fd = call('socket', family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw new KernelError('open', 'a socket', formatErrno(errno()));
  const fail = (operation: string): never => {
    throw new KernelError(operation, 'the connection', formatErrno(errno()));
  };
  const blockedOr = (operation: string, result: number, readiness: Readiness): number | Readiness => {
    if (result >= 0) return result;
    return [EAGAIN, EINTR].includes(errno()) ? readiness : fail(operation);
  };
  try {
    call('setsockopt', fd, IPPROTO_TCP, TCP_NODELAY, int(1), 4); // only a matter of speed
    if (call('connect', fd, socketAddress, socketAddress.length) < 0 && errno() !== EINPROGRESS) fail('establish');
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    fd,
    isConnected() {
      if (!isReady({ fd, readiness: 'writable' })) return false;
      const pending = int(0);
      call('getsockopt', fd, SOL_SOCKET, SO_ERROR, pending, int(4));
      const failure = pending.readInt32LE();
      if (failure !== 0) throw new KernelError('establish', 'the connection', formatErrno(failure));
      return true;
    },
    read: (buffer) => blockedOr('read from', call('recv', fd, buffer, buffer.length, 0), 'readable'),
    write: (bytes) => blockedOr('write to', call('send', fd, bytes, bytes.length, MSG_NOSIGNAL), 'writable'),
    wait: (needed) =>
      untilReady(
        needed.map((readiness) => ({ fd, readiness })),
        MAX_WAIT_MS,
      ),
    shutDown() {
      call('shutdown', fd, SHUT_RDWR); // fails if the peer was faster
    },
    [Symbol.dispose]() {
      closeSync(fd);
    },
  };
}

const PROTOTYPES = {
  connect: 'int connect(int fd, const void *address, int length)',
  getsockopt: 'int getsockopt(int fd, int level, int option, void *value, void *length)',
  recv: 'long recv(int fd, void *buffer, size_t length, int flags)',
  send: 'long send(int fd, const void *buffer, size_t length, int flags)',
  setsockopt: 'int setsockopt(int fd, int level, int option, const void *value, int length)',
  shutdown: 'int shutdown(int fd, int how)',
  socket: 'int socket(int domain, int type, int protocol)',
} as const;

/** `struct sockaddr_in` and `struct sockaddr_in6` (ip(7), ipv6(7)). */
function encodeSocketAddress({ bytes, port }: TcpAddress): { family: number; bytes: Uint8Array } {
  const isIpv4 = bytes.length === 4;
  const family = isIpv4 ? AF_INET : AF_INET6;
  const encoded = Buffer.alloc(isIpv4 ? 16 : 28);
  encoded.writeUInt16LE(family, 0);
  encoded.writeUInt16BE(port, 2);
  encoded.set(bytes, isIpv4 ? 4 : 8);
  return { family, bytes: encoded };
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** From asm-generic/errno.h, bits/socket.h, asm-generic/socket.h, netinet/in.h and netinet/tcp.h. */
const EINTR = 4;
const EAGAIN = 11;
const EINPROGRESS = 115;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_NOSIGNAL = 0x4000;
const SHUT_RDWR = 2;

import type { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { KernelError } from '../system/kernel-error.ts';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { NETLINK_ROUTE } from './constants.ts';
import { errnoOf } from '../system/error-text.ts';

/**
 * Opens a netlink socket in the network namespace of the calling thread. The socket stays in this namespace. `send`
 * blocks the event loop until the kernel has processed the datagram.
 *
 * @param Socket the class of the netlink package; it is a parameter because loading it is asynchronous, and this
 *   function must be synchronous
 * @throws {KernelError}
 */
export function openEventLoopTransport(Socket: typeof RawNetlinkSocket, listener: TransportListener): NetlinkTransport {
  const socket = openSocket(Socket);
  socket.on('message', (datagram, { port }) => {
    if (port === 0) listener.received(datagram); // port 0 is the kernel; another process has another port
  });
  socket.on('truncatedMessage', () => listener.failed('EMSGSIZE'));
  socket.on('error', (error) => listener.failed(errnoOf(error) ?? 'EIO'));
  socket.unref(); // an idle socket must not keep the process alive; a caller that waits for a reply has a timer
  return {
    send: (datagram, sent) => socket.send(datagram, {}, (error) => sent(error && (errnoOf(error) ?? 'EIO'))),
    close: () => socket.close(),
  };
}

function openSocket(Socket: typeof RawNetlinkSocket): RawNetlinkSocket {
  try {
    // With port 0 the kernel chooses a free port. A port chosen by the package can belong to another process.
    return new Socket(NETLINK_ROUTE, {
      localPort: 0,
      messagePeeking: false,
      msgBufferSize: 32_768, // the largest datagram of a dump
      recvBufferSize: 0,
      sendBufferSize: 0,
    });
  } catch (cause) {
    throw new KernelError('open', 'a netlink socket', errnoOf(cause) ?? 'EIO', { cause });
  }
}

import type { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { KernelError } from '../system/kernel-error.ts';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { NETLINK_ROUTE } from './constants.ts';
import { errnoOf } from '../system/error-text.ts';

/**
 * A netlink socket of the network namespace that the calling thread is in, which it keeps for good. Sending is done when
 * `send` returns: the event loop stands still meanwhile.
 *
 * @param Socket the netlink package's class: loading it is asynchronous, and this must not be
 * @throws {KernelError}
 */
export function openEventLoopTransport(Socket: typeof RawNetlinkSocket, listener: TransportListener): NetlinkTransport {
  const socket = openSocket(Socket);
  socket.on('message', (datagram, { port }) => {
    if (port === 0) listener.received(datagram); // the kernel's, not another process's
  });
  socket.on('truncatedMessage', () => listener.failed('EMSGSIZE'));
  socket.on('error', (error) => listener.failed(errnoOf(error) ?? 'EIO'));
  socket.unref(); // an idle socket must not keep the process alive; who waits has a timer
  return {
    send: (datagram, sent) => socket.send(datagram, {}, (error) => sent(error && (errnoOf(error) ?? 'EIO'))),
    close: () => socket.close(),
  };
}

function openSocket(Socket: typeof RawNetlinkSocket): RawNetlinkSocket {
  try {
    // Port 0: the kernel picks a free one. The binding's own choice can be another process's.
    return new Socket(NETLINK_ROUTE, {
      localPort: 0,
      messagePeeking: false,
      msgBufferSize: 32_768, // the largest that the kernel makes for a dump
      recvBufferSize: 0,
      sendBufferSize: 0,
    });
  } catch (cause) {
    throw new KernelError('open', 'a netlink socket', errnoOf(cause) ?? 'EIO', { cause });
  }
}

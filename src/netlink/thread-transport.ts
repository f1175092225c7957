import { closeSync, readSync, write } from 'node:fs';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { errnoOf } from '../system/error-text.ts';

/**
 * Sends from a thread of the pool, so that the event loop goes on while the kernel works: it takes 13 to 25 ms to delete
 * a veth, all of it inside the call that sends. The answer is there when that call returns.
 *
 * @param fd a non-blocking netlink socket, which this closes
 */
export function openThreadTransport(fd: number, listener: TransportListener): NetlinkTransport {
  const buffer = Buffer.alloc(32_768);
  let writing = 0;
  let isClosed = false;
  // Not under a write that a thread has still to begin: the number may be another file's by then.
  const closeWhenIdle = (): void => {
    if (isClosed && writing === 0) closeSync(fd);
  };
  const readAll = (): void => {
    try {
      for (;;) listener.received(Buffer.from(buffer.subarray(0, readSync(fd, buffer))));
    } catch (error) {
      const name = errnoOf(error) ?? 'EIO';
      if (name !== 'EAGAIN') listener.failed(name);
    }
  };
  return {
    send: (datagram, sent) => {
      writing++;
      write(fd, datagram, (error) => {
        writing--;
        closeWhenIdle();
        if (isClosed) return;
        sent(error === null ? undefined : (errnoOf(error) ?? 'EIO'));
        if (error === null) readAll();
      });
    },
    close: () => {
      isClosed = true;
      closeWhenIdle();
    },
  };
}

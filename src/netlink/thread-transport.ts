import { closeSync, readSync, write } from 'node:fs';
import type { NetlinkTransport, TransportListener } from './transport.ts';
import { errnoOf } from '../system/error-text.ts';

/**
 * A transport that sends from a thread of the pool, so that the event loop continues while the kernel works. Deleting a
 * veth takes 13 to 25 ms, all of it inside the call that sends; the reply can be read as soon as this call returns.
 *
 * @param fd a non-blocking netlink socket; the transport closes it
 */
export function openThreadTransport(fd: number, listener: TransportListener): NetlinkTransport {
  const buffer = Buffer.alloc(32_768); // the largest datagram of a dump
  let pendingWrites = 0;
  let isClosed = false;
  // Waits for writes that a thread has yet to begin: by then the number of the descriptor could belong to another file.
  const closeWhenIdle = (): void => {
    if (isClosed && pendingWrites === 0) closeSync(fd);
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
      pendingWrites++;
      write(fd, datagram, (error) => {
        pendingWrites--;
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

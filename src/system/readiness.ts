import { openNativeLibrary } from './native-library.ts';

/** What a descriptor can be ready for. At its end, and after an error, it is ready for everything. */
export type Readiness = 'readable' | 'writable';

/** A descriptor, and what to wait for. */
export interface Awaited {
  readonly fd: number;
  readonly readiness: Readiness;
}

/** True if the descriptor is ready now. */
export function isReady(awaited: Awaited): boolean {
  return openNativeLibrary('libc.so.6', PROTOTYPES).call('poll', encode([awaited]), 1, 0) > 0;
}

/**
 * Waits on another thread until one of the descriptors is ready, and at most for this time. They must not be closed meanwhile.
 *
 * @see poll(2)
 */
export async function untilReady(awaited: readonly Awaited[], maxMs: number): Promise<void> {
  await openNativeLibrary('libc.so.6', PROTOTYPES).callOnThread('poll', encode(awaited), awaited.length, maxMs);
}

const PROTOTYPES = { poll: 'int poll(void *fds, unsigned long count, int timeout)' } as const;

/** An array of `struct pollfd`: int fd, short events, short revents. */
function encode(awaited: readonly Awaited[]): Buffer {
  const encoded = Buffer.alloc(8 * awaited.length);
  awaited.forEach(({ fd, readiness }, index) => {
    encoded.writeInt32LE(fd, 8 * index);
    encoded.writeInt16LE(readiness === 'readable' ? POLLIN : POLLOUT, 8 * index + 4);
  });
  return encoded;
}

/** From bits/poll.h. */
const POLLIN = 1;
const POLLOUT = 4;

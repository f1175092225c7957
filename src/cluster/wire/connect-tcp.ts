import { AddressError, parseIpAddress } from '../../address/ip-address.ts';
import { monotonicMs } from '../../system/monotonic-clock.ts';
import type { Readiness } from '../../system/readiness.ts';
import { openTcpSocket, type TcpAddress, type TcpSocket } from '../../system/tcp-socket.ts';

/**
 * The 4 or 16 bytes of an IPv4 or IPv6 address, or undefined for other text. As in Go, `::ffff:a00:1` is the IPv4 address 10.0.0.1; a URL
 * and a resolver may write it so.
 */
export function addressBytes(text: string): Uint8Array | undefined {
  const [, dotted, high, low] = MAPPED.exec(text) ?? [];
  if (dotted !== undefined) return addressBytes(dotted);
  if (high !== undefined && low !== undefined) return addressBytes(`::${high}:${low}`)?.subarray(12);
  try {
    return parseIpAddress(text).bytes;
  } catch (error) {
    if (error instanceof AddressError) return undefined;
    throw error;
  }
}

const MAPPED = /^::ffff:(?:([0-9.]+)|([0-9a-f]+):([0-9a-f]+))$/i;

/**
 * Connects to the first of these addresses that accepts the connection. The first attempt has been started when this returns.
 *
 * @throws {KernelError} of the last address; and the reason of the signal
 */
export async function connectTcp(addresses: readonly TcpAddress[], signal: AbortSignal): Promise<TcpSocket> {
  for (const [index, address] of addresses.entries()) {
    const isLast = index === addresses.length - 1;
    try {
      const socket = await attempt(address, isLast ? Infinity : NEXT_ADDRESS_MS, signal);
      if (socket !== undefined) return socket;
    } catch (error) {
      if (isLast || signal.aborted) throw error;
    }
  }
  throw new TypeError('there is no address');
}

/** As long as Node waits (`autoSelectFamilyAttemptTimeout`). */
const NEXT_ADDRESS_MS = 250;

async function attempt(address: TcpAddress, maxMs: number, signal: AbortSignal): Promise<TcpSocket | undefined> {
  signal.throwIfAborted();
  using resources = new DisposableStack();
  const socket = resources.use(openTcpSocket(address));
  const begunAtMs = monotonicMs();
  while (!socket.isConnected()) {
    if (monotonicMs() - begunAtMs > maxMs) return undefined;
    await untilSocketReady(socket, 'writable', signal);
  }
  resources.move();
  return socket;
}

/**
 * Waits until the socket is ready, or for a short time.
 *
 * @throws the reason of the signal, which ends the connection
 */
export async function untilSocketReady(socket: TcpSocket, readiness: Readiness, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const interrupt = (): void => socket.shutDown();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    await socket.wait([readiness]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
  signal.throwIfAborted();
}

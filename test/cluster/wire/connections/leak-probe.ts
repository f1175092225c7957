// A separate program. It connects to servers many times, and prints what of it is left in the process.
import { readdirSync } from 'node:fs';
import type { ApiConnection } from '../../../../src/cluster/credentials/connection.ts';
import { startConnection } from '../../../../src/cluster/wire/connect.ts';
import { DeadlineError, startBudget } from '../../../../src/cluster/wire/deadline.ts';
import { openHttpExchange } from '../../../../src/cluster/wire/http-exchange.ts';
import { until } from '../../../lab/until.ts';
import { connectionOf, type TestIdentities } from './test-connection.ts';
import { countOpenSslObjects, type ObjectCount } from './openssl-objects.ts';

/** What the program gets as its argument, in JSON. */
export interface ProbeOrder extends TestIdentities {
  readonly ports: readonly number[];
  /** The number of connections to each port. */
  readonly times: number;
  readonly budgetMs: number;
}

/** What it prints, in JSON. */
export interface ProbeReport {
  readonly objects: readonly ObjectCount[];
  readonly descriptorsBefore: readonly string[];
  readonly descriptorsAfter: readonly string[];
  /** How much the memory of the process grew during the second half of the connections. */
  readonly grownBytes: number;
  /** How the connections ended, and how many each. */
  readonly outcomes: Readonly<Record<string, number>>;
}

const AT_ONCE = 32;

async function main(order: ProbeOrder): Promise<ProbeReport> {
  const objects = countOpenSslObjects();
  const outcomes: Record<string, number> = {};
  const connect = async (port: number): Promise<void> => {
    const outcome = await useConnection(connectionOf(order, port), order.budgetMs);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  };
  const connectAll = async (ports: readonly number[]): Promise<void> => {
    for (let start = 0; start < ports.length; start += AT_ONCE) {
      await Promise.all(ports.slice(start, start + AT_ONCE).map(connect));
    }
  };
  const descriptors = (): readonly string[] => readdirSync('/proc/self/fd').toSorted();
  await connectAll(order.ports.slice(0, 1)); // opens what stays open: the addon, the epoll of the thread pool
  await until('it is closed', () => objects.every(({ made, freed }) => made === freed));
  const descriptorsBefore = descriptors();
  const half = Array.from({ length: Math.ceil(order.times / 2) }, () => order.ports).flat();
  await connectAll(half);
  const memoryBytes = usedMemoryBytes();
  await connectAll(half);
  // A connection is closed as soon as the thread that waits for it has returned.
  const isClean = (): boolean =>
    descriptors().length === descriptorsBefore.length && objects.every(({ made, freed }) => made === freed);
  await until('everything is freed', isClean, { deadlineMs: 5000 }).catch(() => undefined); // the report then shows what is left
  return {
    objects,
    descriptorsBefore,
    descriptorsAfter: descriptors(),
    grownBytes: usedMemoryBytes() - memoryBytes,
    outcomes,
  };
}

/** Without garbage, if Node was started with `--expose-gc`. */
function usedMemoryBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

/** Returns how it ended: the status of a response, or the name of an error. */
async function useConnection(connection: ApiConnection, budgetMs: number): Promise<string> {
  const pending = startConnection(connection, { connectMs: budgetMs, handshakeMs: budgetMs });
  try {
    const exchange = openHttpExchange(await pending.ready);
    using _budget = startBudget(budgetMs, () => exchange.close(new DeadlineError('late')));
    const { status } = await exchange.send({ method: 'GET', path: '/', headers: { Host: 'api' } });
    exchange.close(new Error('done'));
    return String(status);
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  } finally {
    pending.abandon();
  }
}

const order: ProbeOrder = JSON.parse(process.argv[2] ?? '');
process.stdout.write(JSON.stringify(await main(order)));

import { getServers, lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { NameFacts } from '../../diagnosis/api-facts.ts';
import { errnoOf } from '../../system/error-text.ts';

/** A name server that needs longer is of no use to an ADD. */
const SERVER_MS = 1500;
/** The C library waits 5 s for the first name server before it asks the second. */
const LOOKUP_MS = 5500;

/**
 * Looks up the name of the API server as the C library does, and asks each name server of the node for it.
 *
 * @param timeoutMs for all questions to the API server; the lookup takes half of it at most
 * @returns undefined for an address
 */
export async function observeName(
  host: string,
  timeoutMs: number,
  servers: readonly string[] = getServers(),
): Promise<NameFacts | undefined> {
  if (isIP(host) !== 0) return undefined;
  const [addresses, answers] = await Promise.all([
    resolve(host, Math.min(timeoutMs / 2, LOOKUP_MS)),
    Promise.all(servers.map((server) => ask(host, server))),
  ]);
  return { name: host, addresses, servers: answers };
}

async function resolve(host: string, timeoutMs: number): Promise<readonly string[]> {
  const { promise, resolve: settle } = Promise.withResolvers<readonly string[]>();
  const timer = setTimeout(() => settle([]), timeoutMs);
  lookup(host, { all: true }).then(
    (found) => settle(found.map(({ address }) => address)),
    () => settle([]),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function ask(host: string, server: string): Promise<NameFacts['servers'][number]> {
  const resolver = new Resolver({ timeout: SERVER_MS, tries: 1 });
  resolver.setServers([server]);
  const results = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  if (results.some(({ status }) => status === 'fulfilled')) return { address: server, answer: 'address' };
  const isUnknown = results.some((result) => result.status === 'rejected' && isNoSuchName(result.reason));
  return { address: server, answer: isUnknown ? 'unknown name' : 'no answer' };
}

function isNoSuchName(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

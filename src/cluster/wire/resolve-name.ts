import type { LookupAddress } from 'node:dns';
import { loadBuiltin } from '../../system/node-process.ts';

/** How this machine resolves names. */
export interface NameSources {
  /** The C library's resolver, which knows /etc/hosts and /etc/nsswitch.conf. */
  readonly lookup: (
    name: string,
    options: { readonly all: true },
    callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void;
  /** The name servers, each as an address, or as `address:port`. */
  readonly servers: readonly string[];
}

/** How long resolving the name of the API server may take. Less than the time that DEL has for the API. */
export const RESOLVE_MS = 1200;

/**
 * Resolves a name as the C library does, but does not wait for a dead name server. The C library waits 5 s for the
 * first name server before it asks the second, which is more than an ADD has. So if it takes long, all name servers are asked at
 * once, and the first answer from anywhere is used.
 *
 * @returns IPv4 and IPv6 addresses as text
 * @throws {Error} the error of the C library, with a `code` such as ENOTFOUND
 */
export async function resolveName(name: string, sources: NameSources = machineSources()): Promise<readonly string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  let resolvers: readonly { cancel(): void }[] = [];
  const timer = setTimeout(() => {
    resolvers = askAll(name, sources.servers, resolve);
  }, SLOW_MS);
  timer.unref();
  sources.lookup(name, { all: true }, (error, found) => {
    if (error === null) resolve(found.map(({ address }) => address));
    else reject(error);
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const resolver of resolvers) resolver.cancel();
  }
}

/** Describes the name servers for a message. */
export function describeNameServers(servers: readonly string[] = loadBuiltin('node:dns').getServers()): string {
  return servers.length === 0 ? 'none is configured' : servers.join(', ');
}

const SLOW_MS = 300;

function machineSources(): NameSources {
  const dns = loadBuiltin('node:dns');
  return { lookup: (name, options, callback) => dns.lookup(name, options, callback), servers: dns.getServers() };
}

function askAll(name: string, servers: readonly string[], found: (addresses: readonly string[]) => void) {
  const { Resolver } = loadBuiltin('node:dns');
  return servers.map((server) => {
    const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 1 });
    resolver.setServers([server]);
    const answer = (error: Error | null, addresses?: readonly string[]) => {
      if (error === null && addresses !== undefined && addresses.length > 0) found(addresses);
    };
    resolver.resolve4(name, answer);
    resolver.resolve6(name, answer);
    return resolver;
  });
}

import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { getBuiltinModule } from 'node:process';

/** How this machine resolves names. */
export interface NameSources {
  /** The C library's resolver, which knows /etc/hosts and /etc/nsswitch.conf. */
  readonly lookup: (
    name: string,
    options: LookupOptions & { readonly all: true },
    callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ) => void;
  /** The name servers, each as an address, or as `address:port`. */
  readonly servers: readonly string[];
}

/** How long resolving the name of the API server may take. Less than the time that DEL has for the API. */
export const RESOLVE_MS = 1200;

/**
 * Makes a function that resolves names as the C library does, but does not wait for a dead name server. The C library waits 5 s for the
 * first name server before it asks the second, which is more than an ADD has. So if it takes long, all name servers are asked at
 * once, and the first address from anywhere is used.
 */
export function makeLookup(sources: NameSources = machineSources()): LookupFunction {
  return (name, options, callback) => {
    let isDone = false;
    let resolvers: readonly { cancel(): void }[] = [];
    const finish = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      for (const resolver of resolvers) resolver.cancel();
      const [first] = addresses;
      if (options.all === true || first === undefined) callback(error, addresses);
      else callback(error, first.address, first.family);
    };
    const timer = setTimeout(() => {
      resolvers = askAll(name, sources.servers, (addresses) => finish(null, addresses));
    }, SLOW_MS);
    timer.unref();
    sources.lookup(name, { ...options, all: true }, (error, addresses) =>
      finish(error, error === null ? addresses : []),
    );
  };
}

/** Describes the name servers for a message. */
export function describeNameServers(servers: readonly string[] = getBuiltinModule('node:dns').getServers()): string {
  return servers.length === 0 ? 'none is configured' : servers.join(', ');
}

const SLOW_MS = 300;

function machineSources(): NameSources {
  const dns = getBuiltinModule('node:dns');
  return { lookup: (name, options, callback) => dns.lookup(name, options, callback), servers: dns.getServers() };
}

function askAll(name: string, servers: readonly string[], found: (addresses: LookupAddress[]) => void) {
  const { Resolver } = getBuiltinModule('node:dns');
  return servers.map((server) => {
    const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 1 });
    resolver.setServers([server]);
    const answer = (family: 4 | 6) => (error: Error | null, addresses?: readonly string[]) => {
      if (error === null && addresses !== undefined && addresses.length > 0) {
        found(addresses.map((address) => ({ address, family })));
      }
    };
    resolver.resolve4(name, answer(4));
    resolver.resolve6(name, answer(6));
    return resolver;
  });
}

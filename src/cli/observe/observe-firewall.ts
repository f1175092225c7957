import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Seen } from '../../diagnosis/facts.ts';
import type { ForwardChain } from '../../diagnosis/forward-rules.ts';
import type { FirewallZone } from '../../diagnosis/packet-facts.ts';
import { errnoOf, messageOf } from '../../system/error-text.ts';
import { parseZones } from './firewalld-zones.ts';
import { parseIptables } from './iptables-rules.ts';
import { parseNft } from './nft-rules.ts';

/**
 * Reads the chains that forwarded packets go through, with the programs of the node that know them: iptables, ip6tables
 * and nft. Unseen if the node has none of them, or if they may not read the rules.
 */
export async function observeFirewall(path: string | undefined): Promise<Seen<readonly ForwardChain[]>> {
  const list = (program: string, ...args: readonly string[]) => run(program, args, path);
  const [ipv4, ipv6, nft, legacy] = await Promise.all([
    list('iptables', '-w', '2', '-S'),
    list('ip6tables', '-w', '2', '-S'),
    list('nft', '-j', 'list', 'ruleset'),
    // It would create the tables that it lists.
    usesLegacyTables() ? list('iptables-legacy', '-w', '2', '-S') : undefined,
  ]);
  const texts = [ipv4, ipv6, nft].filter((read) => typeof read === 'string');
  if (texts.length === 0) {
    const why = [ipv4, nft].flatMap((read) => (typeof read === 'object' ? [read.why] : []));
    return { kind: 'unseen', why: why[0] ?? 'iptables and nft are not installed here' };
  }
  const fromIptables = [
    typeof ipv4 === 'string' ? parseIptables('iptables', ipv4) : undefined,
    typeof ipv6 === 'string' ? parseIptables('ip6tables', ipv6) : undefined,
    typeof legacy === 'string' ? parseIptables('iptables-legacy', legacy) : undefined,
  ].filter((chain) => chain !== undefined);
  // nft shows the chains of iptables, too, but not all conditions of their rules.
  const isKnown = ({ family, table }: ForwardChain) =>
    table === 'filter' && fromIptables.some((chain) => chain.family === family);
  const fromNft = typeof nft === 'string' ? parseNft(nft).filter((chain) => !isKnown(chain)) : [];
  return { kind: 'seen', value: [...fromIptables, ...fromNft] };
}

/** Asks firewalld for its active zones. `undefined` if it does not run, or if firewall-cmd is not installed here. */
export async function observeZones(path: string | undefined): Promise<readonly FirewallZone[] | undefined> {
  const text = await run('firewall-cmd', ['--get-active-zones'], path);
  return typeof text === 'string' ? parseZones(text) : undefined;
}

/** The output of a program; `undefined` if it is not installed; or why it fails. */
async function run(
  program: string,
  args: readonly string[],
  path: string | undefined,
): Promise<string | { readonly why: string } | undefined> {
  try {
    const environment = { PATH: `${path ?? ''}:/usr/sbin:/sbin:/usr/bin`, LC_ALL: 'C' };
    const options = { timeout: 3000, maxBuffer: MAX_RULES_BYTES, env: environment };
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    return { why: `${program} cannot list the rules: ${messageOf(error).split('\n').at(-1) ?? ''}` };
  }
}

/** A node with 10,000 Services has some tens of megabytes. */
const MAX_RULES_BYTES = 256 * 1024 * 1024;

function usesLegacyTables(): boolean {
  try {
    return readFileSync('/proc/net/ip_tables_names', 'utf8').split('\n').includes('filter');
  } catch {
    return false;
  }
}

import type { ForwardChain, ForwardRule } from '../../diagnosis/forward-rules.ts';

/** The chain FORWARD of the table filter, as `iptables -S` prints it. `undefined` if it has none. */
export function parseIptables(
  program: 'iptables' | 'ip6tables' | 'iptables-legacy',
  text: string,
): ForwardChain | undefined {
  const chains = new Map<string, ForwardRule[]>();
  let policy: string | undefined;
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^-([PNA]) (\S+) ?(.*)$/.exec(line) ?? [];
    if (kind === undefined) continue;
    if (kind === 'P' && name === 'FORWARD') policy = rest;
    if (kind === 'A') chains.set(name, [...(chains.get(name) ?? []), parseRule(rest)]);
  }
  if (policy === undefined) return undefined;
  return {
    program,
    family: program === 'ip6tables' ? 'ip6' : 'ip',
    table: 'filter',
    name: 'FORWARD',
    policy: policy === 'DROP' ? 'drop' : 'accept',
    chains,
  };
}

/** Conditions that no packet fulfils with which a pod begins a connection. kube-proxy marks packets to Services. */
const NOT_OF_PODS = /--ctstate (?!\S*NEW)\S+|--state (?!\S*NEW)\S+|--ctstatus DNAT|--mark 0x4000\//;

function parseRule(text: string): ForwardRule {
  const interfaceAt = (flag: string) => {
    const [, not, name] = new RegExp(`(! )?-${flag} (\\S+)`).exec(text) ?? [];
    return not === undefined ? name?.replace(/\+$/, '*') : undefined;
  };
  const [, target] = / ?-[jg] (\S+)/.exec(text) ?? [];
  const conditions = text
    .replace(/ ?-[jg] .*$/, '')
    .replaceAll(/(^| )-[io] \S+/g, '')
    .replaceAll(/(^| )-m comment --comment ("[^"]*"|\S+)/g, '')
    .trim();
  return {
    from: interfaceAt('i'),
    to: interfaceAt('o'),
    applies: conditions === '' ? 'always' : NOT_OF_PODS.test(conditions) ? 'never' : 'sometimes',
    verdict: verdictOf(target),
  };
}

function verdictOf(target: string | undefined): ForwardRule['verdict'] {
  if (target === 'ACCEPT') return 'accept';
  if (target === 'DROP' || target === 'REJECT') return 'drop';
  if (target === undefined || /^(RETURN|LOG|NFLOG|MARK|CONNMARK|TCPMSS|CT)$/.test(target)) return 'continue';
  return { jump: target };
}

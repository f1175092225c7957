import { describe, expect, it } from 'vitest';
import { checkPackets } from '../../src/diagnosis/check-packets.ts';
import type { ForwardChain, ForwardRule } from '../../src/diagnosis/forward-rules.ts';
import type { PacketFacts } from '../../src/diagnosis/packet-facts.ts';
import { NOON_MS, nodeFacts, packetFacts, processFacts, seen, unseen } from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<PacketFacts>, others: Parameters<typeof nodeFacts>[0] = {}) =>
  checkPackets(nodeFacts({ packets: packetFacts(overrides), ...others })).filter(
    ({ outcome }) => outcome === 'failed' || outcome === 'warning',
  );

const chain = (overrides: Partial<ForwardChain>): ForwardChain => ({
  program: 'iptables',
  family: 'ip',
  table: 'filter',
  name: 'FORWARD',
  policy: 'drop',
  chains: new Map(),
  ...overrides,
});
const rule = (verdict: ForwardRule['verdict']): ForwardRule => ({
  from: undefined,
  to: undefined,
  applies: 'always',
  verdict,
});

describe('checkPackets', () => {
  const finds = (what: string, overrides: Partial<PacketFacts>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy node has no finding', {});
  finds(
    'forwarding is off',
    { sysctls: { 'net/ipv4/ip_forward': '0' } },
    {
      number: 'PW503',
      fix: ['sysctl -w net.ipv4.ip_forward=1'],
    },
  );
  finds(
    'iptables drops',
    { firewall: seen([chain({})]) },
    {
      number: 'PW503',
      outcome: 'failed',
      evidence: [
        [
          'chain',
          'FORWARD of table filter (iptables) has the policy drop, and no rule accepts packets from pods or to pods',
        ],
      ],
      fix: ['iptables -I FORWARD -i cali+ -j ACCEPT', 'iptables -I FORWARD -o cali+ -j ACCEPT'],
    },
  );
  finds('a chain of IPv6 on a node without IPv6 pods', {
    firewall: seen([chain({ program: 'ip6tables', family: 'ip6' })]),
  });
  finds(
    'nft drops',
    { firewall: seen([chain({ program: 'nft', family: 'inet', name: 'forward' })]) },
    {
      number: 'PW503',
      fix: [
        `nft insert rule inet filter forward iifname '"cali*"' accept`,
        `nft insert rule inet filter forward oifname '"cali*"' accept`,
      ],
    },
  );
  finds(
    'firewalld rejects',
    {
      firewall: seen([
        chain({
          program: 'nft',
          family: 'inet',
          table: 'firewalld',
          name: 'filter_FORWARD',
          policy: 'accept',
          chains: new Map([['filter_FORWARD', [rule('drop')]]]),
        }),
      ]),
    },
    { number: 'PW508', outcome: 'failed', fix: ['systemctl disable --now firewalld'] },
  );
  finds(
    'a full connection table',
    { sysctls: { 'net/netfilter/nf_conntrack_count': '950', 'net/netfilter/nf_conntrack_max': '1000' } },
    { number: 'PW505', outcome: 'warning', fix: ['sysctl -w net.netfilter.nf_conntrack_max=4000'] },
  );
  const half = { 'net/netfilter/nf_conntrack_count': '600', 'net/netfilter/nf_conntrack_max': '1000' };
  finds(
    'a connection table that was full a minute ago',
    { sysctls: half, connectionDrops: seen({ lastMs: NOON_MS - 60_000, lineCount: 3 }) },
    {
      number: 'PW505',
      outcome: 'failed',
      evidence: [
        ['entries', '600 of 1000'],
        ['kernel', expect.stringMatching(/^"table full, dropping packet", 11:59/)],
      ],
    },
  );
  finds('a connection table that was full yesterday', {
    sysctls: half,
    connectionDrops: seen({ lastMs: NOON_MS - 86_400_000, lineCount: 3 }),
  });
  const many = { received: 10_000, reversePathDropped: 5000 };
  finds(
    'a strict filter that drops',
    { counters: many, reversePathFilters: { all: 0, lo: 1, 'eth0.5': 1, cali1: 1 } },
    {
      number: 'PW507',
      outcome: 'warning',
      evidence: [
        ['dropped', '5000 packets, 50 % of all that have arrived'],
        ['strict', 'eth0.5'],
        ['why', expect.anything()],
      ],
      fix: ['sysctl -w net.ipv4.conf.eth0/5.rp_filter=2'],
    },
  );
  finds('a filter that is strict only for pods', { counters: many, reversePathFilters: { all: 0, eth0: 0, cali1: 1 } });
  finds(
    'a loose filter, with which the agent does not start',
    { reversePathFilters: { all: 2 } },
    {
      number: 'PW507',
      fix: ['sysctl -w net.ipv4.conf.all.rp_filter=0'],
    },
  );

  it('a loose filter that the agent ignores, or without an agent', () => {
    const loose = { reversePathFilters: { all: 2 } };
    const ignoring = processFacts({ agent: { prefix: 'cali', ignoresLooseFilter: true } });
    expect(problems(loose, { processes: ignoring })).toEqual([]);
    expect(problems(loose, { processes: processFacts({ agent: undefined }) })).toEqual([]);
  });

  it('portmap without snat', () => {
    const [file] = [nodeFacts().configs].flatMap((configs) => (configs.kind === 'seen' ? configs.value : []));
    const configs = seen(file === undefined ? [] : [{ ...file, masqueradesHostPorts: false }]);
    expect(problems({}, { configs })).toMatchObject([
      {
        number: 'PW509',
        fix: [String.raw`sed -i -E 's/("snat": *)false/\1true/' /etc/cni/net.d/10-podwire.conflist`],
      },
    ]);
  });

  it('says what it could not read', () => {
    const findings = checkPackets(nodeFacts({ packets: packetFacts({ firewall: unseen('nft is missing') }) }));
    expect(findings).toMatchObject([
      { number: 'PW503', outcome: 'ok', summary: 'forwarding is on; not checked: nft is missing' },
      { number: 'PW505' },
      { number: 'PW507' },
      { number: 'PW508', outcome: 'skipped' },
      { number: 'PW509' },
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { parseIptables } from '../../src/cli/observe/iptables-rules.ts';
import { droppedDirections } from '../../src/diagnosis/forward-rules.ts';

const BOTH = ['from pods', 'to pods'];
const NONE: readonly string[] = [];

describe('droppedDirections', () => {
  const drops = (what: string, rules: readonly string[], expected: readonly string[], policy = 'DROP') =>
    it(what, () => {
      const chain = parseIptables('iptables', [`-P FORWARD ${policy}`, ...rules].join('\n'));
      expect(chain && droppedDirections(chain, 'cali')).toEqual(expected);
    });

  drops('a policy that accepts', [], NONE, 'ACCEPT');
  drops('a policy that drops', [], BOTH);
  drops('only answers are accepted', ['-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'], BOTH);
  drops(
    'pods are accepted by their interfaces',
    ['-A FORWARD -i cali+ -j ACCEPT', '-A FORWARD -o cali+ -j ACCEPT'],
    NONE,
  );
  drops('only one direction is accepted', ['-A FORWARD -i cali+ -j ACCEPT'], ['to pods']);
  drops('pods are accepted by their addresses', ['-A FORWARD -s 10.0.0.0/16 -j ACCEPT'], NONE);
  drops(
    'Docker accepts its own packets only',
    [
      '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A FORWARD -i docker0 ! -o docker0 -j ACCEPT',
    ],
    BOTH,
  );
  drops(
    'kube-proxy accepts packets to Services only',
    ['-A FORWARD -j KUBE-FORWARD', '-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT'],
    BOTH,
  );
  drops('the agent decides itself', ['-A FORWARD -j cali-FORWARD'], NONE);
  drops('a chain that accepts', ['-A FORWARD -j MINE', '-A MINE -j ACCEPT'], NONE);
  drops('a rule that rejects everything', ['-A FORWARD -j REJECT --reject-with icmp-port-unreachable'], BOTH, 'ACCEPT');
  drops('a rule that drops some packets', ['-A FORWARD -m conntrack --ctstate INVALID -j DROP'], NONE, 'ACCEPT');
  drops('a rule for another interface', ['-A FORWARD -i eth1 -j DROP'], NONE, 'ACCEPT');
  drops('chains that call each other', ['-A FORWARD -j A', '-A A -j B', '-A B -j A'], NONE);
});

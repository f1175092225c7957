import { expect, it } from 'vitest';
import { parseIptables } from '../../../src/cli/observe/iptables-rules.ts';

const rule = (text: string) =>
  parseIptables('iptables', `-P FORWARD ACCEPT\n-A FORWARD ${text}`)?.chains.get('FORWARD')?.[0];

it.each([
  ['-j DROP', { from: undefined, to: undefined, applies: 'always', verdict: 'drop' }],
  ['-i cali+ -o eth0 -j ACCEPT', { from: 'cali*', to: 'eth0', applies: 'always', verdict: 'accept' }],
  ['! -i docker0 -j ACCEPT', { from: undefined, applies: 'sometimes' }],
  ['-m comment --comment "all of it" -j ACCEPT', { applies: 'always' }],
  ['-m conntrack --ctstate NEW -j ACCEPT', { applies: 'sometimes' }],
  ['-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', { applies: 'never' }],
  ['-g OTHER', { verdict: { jump: 'OTHER' } }],
  ['-j LOG --log-prefix x', { verdict: 'continue' }],
  ['-s 10.0.0.0/8', { verdict: 'continue' }],
])('%s', (text, expected) => expect(rule(text)).toMatchObject(expected));

it('a table without the chain', () => expect(parseIptables('iptables', '-P INPUT ACCEPT')).toBeUndefined());
it('IPv6', () =>
  expect(parseIptables('ip6tables', '-P FORWARD DROP')).toMatchObject({ family: 'ip6', policy: 'drop' }));

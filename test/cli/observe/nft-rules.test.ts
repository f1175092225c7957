import { expect, it } from 'vitest';
import { parseNft } from '../../../src/cli/observe/nft-rules.ts';

const base = { family: 'inet', table: 't', name: 'c', type: 'filter', hook: 'forward', policy: 'drop' };
const parse = (...items: readonly object[]) => parseNft(JSON.stringify({ nftables: items }));
const rule = (...expr: readonly object[]) =>
  parse({ chain: base }, { rule: { family: 'inet', table: 't', chain: 'c', expr } })[0]?.chains.get('c')?.[0];
const meta = (key: string, right: unknown, op = '==') => ({ match: { op, left: { meta: { key } }, right } });

it('chains of other hooks and families do not count', () =>
  expect(parse({ chain: { ...base, hook: 'input' } }, { chain: { ...base, family: 'bridge' } })).toEqual([]));
it('rules of another table do not count', () =>
  expect(parse({ chain: base }, { rule: { family: 'inet', table: 'x', chain: 'c', expr: [] } })[0]?.chains.size).toBe(
    0,
  ));

it.each([
  ['interfaces', [meta('iifname', 'cali*'), { accept: null }], { from: 'cali*', applies: 'always', verdict: 'accept' }],
  ['another interface than', [meta('iifname', 'lo', '!='), { drop: null }], { from: undefined, applies: 'sometimes' }],
  [
    'a state',
    [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'established' } }, { accept: null }],
    { applies: 'never' },
  ],
  [
    'new connections',
    [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }],
    { applies: 'sometimes' },
  ],
  ['a counter', [{ counter: { packets: 1, bytes: 1 } }, { drop: null }], { applies: 'always', verdict: 'drop' }],
  ['a jump', [{ jump: { target: 'other' } }], { verdict: { jump: 'other' } }],
  ['an extension of iptables', [{ xt: null }], { applies: 'sometimes', verdict: 'accept' }],
  ['nothing', [], { applies: 'always', verdict: 'continue' }],
])('a rule with %s', (_what, expr, expected) => expect(rule(...expr)).toMatchObject(expected));

import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../src/address/cidr.ts';
import { parseNode } from '../../src/cluster/node.ts';
import { openReader } from '../../src/json/json-reader.ts';
import { UNQUOTED_SOURCE } from '../support/builders/json-source.ts';

const podCidrs = (spec: object) =>
  parseNode(openReader({ metadata: { name: 'n', uid: 'u' }, spec }, UNQUOTED_SOURCE)).podCidrs.map(formatCidr);

describe('a Node', () => {
  const has = (why: string, spec: object, ...expected: readonly string[]) =>
    it(why, () => expect(podCidrs(spec)).toEqual(expected));
  has(
    'has its podCIDRs in the order of the API',
    { podCIDRs: ['fd00::/64', '10.0.0.0/24'] },
    'fd00::/64',
    '10.0.0.0/24',
  );
  has('without podCIDRs has its podCIDR', { podCIDR: '10.0.0.0/24' }, '10.0.0.0/24');
  has('with an empty list has its podCIDR', { podCIDRs: [], podCIDR: '10.0.0.0/24' }, '10.0.0.0/24');
  has('with neither has no podCIDR', {});
  has('with empty text has no podCIDR', { podCIDR: '' });

  const refuses = (why: string, spec: object, message: RegExp) =>
    it(`${why} is refused`, () => expect(() => podCidrs(spec)).toThrow(message));
  refuses(
    'with an invalid podCIDR',
    { podCIDRs: ['10.0.0.0'] },
    /^spec.podCIDRs\[0\]: expected ADDRESS\/LENGTH .*, got a string$/,
  );
  refuses(
    'with a podCIDR that is a number',
    { podCIDRs: [5] },
    /^spec.podCIDRs\[0\]: expected ADDRESS\/LENGTH .*, got a number$/,
  );
  refuses('with podCIDRs that are text', { podCIDRs: '10.0.0.0/24' }, /^spec.podCIDRs: expected a list, got a string$/);
});

import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../src/address/cidr.ts';
import {
  ADDRESS,
  BOOLEAN,
  CIDR,
  HTTP_URL,
  LIST,
  NODE_NAME,
  NON_EMPTY_STRING,
  OBJECT,
  PLUGIN_NAME,
  STRING,
  TEXT,
  wholeNumber,
  type Shape,
} from '../../src/json/shapes.ts';
import type { JsonValue } from '../../src/json/json.ts';

function shape(name: string, { parse }: Shape<unknown>, accepts: readonly JsonValue[], refuses: readonly JsonValue[]) {
  describe(name, () => {
    it.each(accepts.map((value) => [value]))('accepts %j', (value) => expect(parse(value)).toEqual(value));
    it.each(refuses.map((value) => [value]))('refuses %j', (value) => expect(parse(value)).toBe(undefined));
  });
}

shape('OBJECT', OBJECT, [{}, { a: 1 }], [[], 'a', 1, true]);
shape('LIST', LIST, [[], [1]], [{}, 'a']);
shape('BOOLEAN', BOOLEAN, [true, false], ['true', 1, 0, [], {}]);
shape('STRING', STRING, ['', 'a\u0000b\n'], [1, true, null, {}]);
shape('NON_EMPTY_STRING', NON_EMPTY_STRING, ['a'], ['', 1, null]);
shape('TEXT', TEXT, ['', 'a b', '/é'], [1, true, 'a\u0000b', 'a\nb', 'a\u001b[2J', 'a\u007f']);
shape(
  'NODE_NAME',
  NODE_NAME,
  ['node-1', 'ip-10-0-0-1.ec2.internal'],
  ['', 'Node', 'a_b', '../a', '__KUBERNETES_NODE_NAME__'],
);
shape(
  'PLUGIN_NAME',
  PLUGIN_NAME,
  ['host-local', 'calico-ipam', 'x.1'],
  ['', '.', '..', '/bin/sh', '../sh', 'a/b', '-a', 'a b', 'a'.repeat(256)],
);
shape(
  'HTTP_URL',
  HTTP_URL,
  ['http://localhost:9099/readiness', 'https://[::1]:6443'],
  ['', 'localhost', 'file:///etc/passwd', 'http://', 'https://a b/', 1],
);
shape('CIDR', CIDR, [], ['10.0.0.5', '10.0.0.5/33', '010.0.0.5/32', 'x', 5]);
shape('ADDRESS', ADDRESS, [], ['10.0.0.5/32', 'fe80::1%eth0', '::ffff:10.0.0.5', 'x', 5]);
shape(
  'wholeNumber(68, 65535)',
  wholeNumber(68, 65535),
  [68, 1e3, 65535],
  [67, 65536, -1, 1500.5, '1500', 0, Infinity, true],
);

describe('shapes of addresses', () => {
  it.each([
    ['10.0.0.5/32', '10.0.0.5/32'],
    ['FD00:0:0::5/64', 'fd00::5/64'],
  ])('%s is the CIDR %s', (given, canonical) => {
    const cidr = CIDR.parse(given);
    expect(cidr && formatCidr(cidr)).toBe(canonical);
  });
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['FE80:0::1', 'fe80::1'],
  ])('%s is the address %s', (given, canonical) => expect(ADDRESS.parse(given)?.text).toBe(canonical));
});

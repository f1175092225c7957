import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import type { Family } from '../../src/address/family.ts';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import type { CniResult } from '../../src/cni/result.ts';
import { parseLease } from '../../src/plan/lease.ts';

const result = (addresses: readonly string[], overrides: Partial<CniResult> = {}): CniResult => ({
  interfaces: [],
  ips: addresses.map((address) => ({ address: parseCidr(address) })),
  routes: [],
  dns: {},
  ...overrides,
});
const parse = (given: CniResult, families: readonly Family[] = []) =>
  parseLease(given, { type: 'host-local', config: {}, families });

describe('parseLease', () => {
  it('IPv4 comes first, whatever the order', () => {
    expect(parse(result(['fd00::5/64', '10.0.0.5/24'])).addresses.map(({ text }) => text)).toEqual([
      '10.0.0.5',
      'fd00::5',
    ]);
  });
  it('routes keep what they carry, and the result’s stay as they came', () => {
    const routes = [
      {
        dst: parseCidr('10.96.0.0/12'),
        gw: parseIpAddress('10.0.0.1'),
        mtu: 1300,
        advmss: 1200,
        priority: 10,
        table: 0,
        scope: 0,
      },
    ];
    const lease = parse(result(['10.0.0.5/24'], { routes }));
    expect(lease.resultRoutes).toEqual(routes);
    expect(lease.routes.map((route) => ({ ...route, destination: formatCidr(route.destination) }))).toEqual([
      { destination: '10.96.0.0/12', mtuBytes: 1300, advertisedMssBytes: 1200, priority: 10, table: 0 },
    ]);
  });

  const refuses = (why: string, given: CniResult, families?: readonly Family[]) =>
    it(`refuses ${why}`, () => {
      expect(() => parse(given, families)).toThrow(CniError);
      expect(() => parse(given, families)).toThrow(expect.objectContaining({ code: ERROR_CODE.delegateFailed }));
    });
  refuses('no address', result([]));
  refuses('one address twice', result(['10.0.0.5/24', '10.0.0.5/24']));
  refuses('one address twice, written differently', result(['fd00::5/64', 'fd00:0::5/64']));
  refuses('a family that was not asked for', result(['10.0.0.5/24', 'fd00::5/64']), ['ipv4']);
  refuses('a family that was asked for and is missing', result(['10.0.0.5/24']), ['ipv4', 'ipv6']);
});

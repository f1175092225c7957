import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../src/address/cidr.ts';
import type { JsonValue } from '../../src/json/json.ts';
import type { CniResult } from '../../src/cni/result.ts';
import { expectedFromPrevResult } from '../../src/plan/expected-state.ts';

const MAC = '02:00:00:00:00:05';
const RESULT: CniResult = {
  interfaces: [
    { name: 'cali68caf03a5f4', mac: 'ee:ee:ee:ee:ee:ee' },
    { name: 'eth0', mac: MAC, sandbox: '/var/run/netns/web' },
  ],
  ips: [
    { address: parseCidr('10.0.0.5/32'), interface: 1 },
    { address: parseCidr('fd00::5/128'), interface: 1 },
  ],
  routes: [{ dst: parseCidr('10.96.0.0/12') }],
  dns: {},
};

function attached(overrides: Partial<CniResult> = {}, routes?: JsonValue) {
  const ipam = { type: 'host-local', ...(routes !== undefined && { routes }) };
  const parsed = expectedFromPrevResult({ ...RESULT, ...overrides }, { ipam }, 'eth0');
  return {
    mac: parsed.mac,
    addresses: parsed.addresses.map(({ text }) => text),
    routes: parsed.routes.map(({ destination }) => formatCidr(destination)),
  };
}

describe('what an ADD has made is', () => {
  it('the MAC, addresses and routes of its result', () =>
    expect(attached()).toEqual({ mac: MAC, addresses: ['10.0.0.5', 'fd00::5'], routes: ['10.96.0.0/12'] }));

  it('without the addresses of other interfaces', () =>
    expect(
      attached({
        ips: [
          { address: parseCidr('10.0.0.5/32'), interface: 1 },
          { address: parseCidr('10.9.9.9/32'), interface: 0 },
        ],
      }).addresses,
    ).toEqual(['10.0.0.5']));

  it('with addresses of no interface: before 0.3.0 results name none', () =>
    expect(attached({ interfaces: [], ips: [{ address: parseCidr('10.0.0.5/32') }] })).toMatchObject({
      mac: undefined,
      addresses: ['10.0.0.5'],
    }));

  it('not what a host interface of the same name has', () =>
    expect(attached({ interfaces: [{ name: 'eth0', mac: MAC }] }).mac).toBeUndefined());

  it('without a malformed MAC', () =>
    expect(attached({ interfaces: [{ name: 'eth0', mac: 'tuned', sandbox: '/n' }] }).mac).toBeUndefined());

  const routes = (what: string, configured: JsonValue, expected: readonly string[]) =>
    it(what, () => expect(attached({}, configured).routes).toEqual(expected));
  routes(
    'with the configured routes, not those that other plugins have added',
    [{ dst: '10.1.0.0/16' }],
    ['10.1.0.0/16'],
  );
  routes('without routes, if none are configured in so many words', [], []);
  routes(
    'without routes that no ADD takes',
    [{ dst: 'x' }, { dst: 7 }, 'y', {}, { dst: '10.1.0.0/16' }],
    ['10.1.0.0/16'],
  );
  routes('with the result’s routes, if the configured ones are not a list', 'none', ['10.96.0.0/12']);
});

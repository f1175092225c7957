import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import { planResult, type ResultFacts } from '../../src/plan/result.ts';

const facts = (overrides: Partial<ResultFacts> = {}): ResultFacts => ({
  config: { dns: undefined, prevResult: undefined },
  sandboxPath: '/var/run/netns/p',
  hostInterface: { name: 'cali1', mac: parseMacAddress('ee:ee:ee:ee:ee:ee'), mtuBytes: 1500 },
  containerInterface: { name: 'eth0', mac: parseMacAddress('1e:05:be:ef:00:01'), mtuBytes: 1500 },
  lease: {
    addresses: [parseIpAddress('10.0.0.5'), parseIpAddress('fd00::5')],
    resultRoutes: [{ dst: parseCidr('10.96.0.0/12') }],
    dns: {},
  },
  ...overrides,
});

describe('planResult', () => {
  it('host interface, container interface with its sandbox, addresses as /32 and /128 on the latter', () => {
    expect(planResult(facts())).toEqual({
      interfaces: [
        { name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee', mtu: 1500 },
        { name: 'eth0', mac: '1e:05:be:ef:00:01', mtu: 1500, sandbox: '/var/run/netns/p' },
      ],
      ips: [
        { address: parseCidr('10.0.0.5/32'), interface: 1 },
        { address: parseCidr('fd00::5/128'), interface: 1 },
      ],
      routes: [{ dst: parseCidr('10.96.0.0/12') }],
      dns: {},
    });
  });

  it('what plugins before this one gave comes first', () => {
    const prevResult = {
      interfaces: [{ name: 'before' }],
      ips: [{ address: parseCidr('10.9.0.1/24'), interface: 0 }],
      routes: [{ dst: parseCidr('10.9.0.0/16') }],
      dns: { domain: 'before' },
    };
    const result = planResult(facts({ config: { dns: undefined, prevResult } }));
    expect(result.interfaces.map(({ name }) => name)).toEqual(['before', 'cali1', 'eth0']);
    expect(result.ips.map((ip) => ip.interface)).toEqual([0, 2, 2]);
    expect(result.routes).toEqual([{ dst: parseCidr('10.9.0.0/16') }, { dst: parseCidr('10.96.0.0/12') }]);
    expect(result.dns).toEqual({ domain: 'before' });
  });

  it('the netconf’s dns overrides the delegate’s', () => {
    const { lease } = facts();
    const delegated = { ...lease, dns: { nameservers: ['10.96.0.10'] } };
    expect(planResult(facts({ lease: delegated })).dns).toEqual({ nameservers: ['10.96.0.10'] });
    const config = { dns: { nameservers: ['10.96.0.11'] }, prevResult: undefined };
    expect(planResult(facts({ config, lease: delegated })).dns).toEqual({ nameservers: ['10.96.0.11'] });
  });
});

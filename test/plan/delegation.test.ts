import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { needsPodCidr, planAllocation, planLookup } from '../../src/plan/delegation.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const NODE = { nodeName: 'node-1', podCidrs: ['10.71.0.0/24', 'fd71::/64'].map(parseCidr) };
const withIpam = (ipam: JsonObject, overrides: JsonObject = {}) =>
  networkConfig({ ipam: { type: 'host-local', ...ipam }, ...overrides });

describe('planAllocation', () => {
  const replaces = (claim: string, ipam: JsonObject, wanted: JsonObject) =>
    it(claim, () =>
      expect(planAllocation(withIpam(ipam), NODE).config['ipam']).toEqual({ type: 'host-local', ...wanted }),
    );
  replaces('the legacy subnet', { subnet: 'usePodCidr' }, { subnet: '10.71.0.0/24' });
  replaces('any case', { subnet: 'USEPODCIDR' }, { subnet: '10.71.0.0/24' });
  replaces('IPv6 in ranges', { ranges: [[{ subnet: 'usePodCidrIPv6' }]] }, { ranges: [[{ subnet: 'fd71::/64' }]] });
  replaces(
    'both families, other keys of a range kept',
    { ranges: [[{ subnet: 'usePodCidr', rangeStart: '10.71.0.9' }], [{ subnet: 'usepodcidripv6' }]], dataDir: '/d' },
    { ranges: [[{ subnet: '10.71.0.0/24', rangeStart: '10.71.0.9' }], [{ subnet: 'fd71::/64' }]], dataDir: '/d' },
  );
  replaces(
    'nothing else',
    { ranges: [[{ subnet: '10.9.0.0/24' }]], routes: [{ dst: '10.96.0.0/12' }] },
    { ranges: [[{ subnet: '10.9.0.0/24' }]], routes: [{ dst: '10.96.0.0/12' }] },
  );
  replaces(
    'malformed ranges are passed to the delegate, which refuses them',
    { ranges: [7, [null, 'x']] },
    { ranges: [7, [null, 'x']] },
  );

  it('returns the requested families', () => {
    expect(
      planAllocation(withIpam({ ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'fd00::/64' }]] }), NODE).families,
    ).toEqual(['ipv4', 'ipv6']);
    expect(planAllocation(withIpam({ addresses: [] }), NODE).families).toEqual([]);
  });

  it('knows the families of ranges that the runtime adds', () => {
    const runtimeConfig = { ipRanges: [[{ subnet: 'fd00:9::/64' }]] };
    expect(planAllocation(withIpam({ subnet: 'usePodCidr' }, { runtimeConfig }), NODE).families).toEqual([
      'ipv4',
      'ipv6',
    ]);
    expect(planAllocation(withIpam({}, { runtimeConfig }), NODE).families).toEqual(['ipv6']);
    expect(planAllocation(withIpam({}, { runtimeConfig: { ipRanges: 'x' } }), NODE).families).toEqual([]);
  });

  it('unknown keys are passed through, but not those that hold secrets', () => {
    const config = withIpam(
      { subnet: 'usePodCidr' },
      { policy: { type: 'k8s', k8s_auth_token: 'secret' }, args: { cni: { ips: ['10.71.0.7'] } }, mine: 1 },
    );
    const given = planAllocation(config, NODE).config;
    expect(given).toMatchObject({
      name: 'k8s-pod-network',
      cniVersion: '1.0.0',
      args: { cni: { ips: ['10.71.0.7'] } },
      mine: 1,
    });
    expect(JSON.stringify(given)).not.toMatch(/secret|kubeconfig/);
  });

  it('a family without a podCIDR is refused with the names of node and family', () => {
    const ipv4Only = { ...NODE, podCidrs: NODE.podCidrs.slice(0, 1) };
    const refusal = () => planAllocation(withIpam({ subnet: 'usePodCidrIPv6' }), ipv4Only);
    expect(refusal).toThrow(CniError);
    expect(refusal).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.invalidConfig,
        message: expect.stringContaining('node node-1 has no IPv6 podCIDR'),
      }),
    );
  });
});

describe('needsPodCidr', () => {
  const asks = (wanted: boolean, claim: string, ipam: JsonObject) =>
    it(claim, () => expect(needsPodCidr(withIpam(ipam))).toBe(wanted));
  asks(true, 'the legacy subnet', { subnet: 'usePodCidr' });
  asks(true, 'the second range', { ranges: [[{ subnet: '10.9.0.0/24' }], [{ subnet: 'usePodCidrIPv6' }]] });
  asks(false, 'its own subnet', { subnet: '10.9.0.0/24' });
  asks(false, 'no range at all', {});
});

describe('planLookup', () => {
  it('one range whatever the ranges were: host-local fails on two that overlap', () => {
    const config = withIpam({
      subnet: 'usePodCidr',
      rangeStart: '10.71.0.9',
      ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]],
      dataDir: '/d',
    });
    expect(planLookup(config).config['ipam']).toEqual({
      type: 'host-local',
      dataDir: '/d',
      ranges: [[{ subnet: '192.0.2.0/24' }]],
    });
  });
  it('ranges of the runtime, which would come on top, are left out; its other settings stay', () => {
    const config = withIpam(
      { subnet: 'usePodCidr' },
      { runtimeConfig: { ipRanges: [[{ subnet: '192.0.2.0/24' }]], portMappings: [] } },
    );
    expect(planLookup(config).config['runtimeConfig']).toEqual({ portMappings: [] });
  });
  it('its own ranges, too: a range that host-local has refused would fail DEL for ever', () => {
    const config = withIpam({ ranges: [[{ subnet: '10.0.0.0/31' }]] });
    expect(planLookup(config).config['ipam']).toEqual({ type: 'host-local', ranges: [[{ subnet: '192.0.2.0/24' }]] });
  });
  it('a plugin without ranges gets its configuration as it is', () => {
    const ipam = { type: 'static', addresses: [{ address: '10.9.0.5/24' }] };
    expect(planLookup(networkConfig({ ipam })).config['ipam']).toEqual(ipam);
  });
  it('another plugin keeps its ranges: the placeholder is for host-local alone', () => {
    const ipam = { type: 'other-ipam', subnet: '10.9.0.0/24', ranges: [[{ subnet: '10.9.0.0/24' }]] };
    expect(planLookup(networkConfig({ ipam })).config['ipam']).toEqual(ipam);
  });
  it('the name of a renamed network is its earlier one, by which host-local finds the lease', () =>
    expect(planLookup(networkConfig({ name: 'new' }), 'old').config['name']).toBe('old'));
});

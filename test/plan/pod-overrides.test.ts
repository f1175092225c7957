import { expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import { parsePodOverrides } from '../../src/plan/pod-overrides.ts';

const parse = (name: string, value: string, floatingIpsEnabled = false) =>
  parsePodOverrides({ [`cni.projectcalico.org/${name}`]: value }, { floatingIpsEnabled });

it('without annotations there are no overrides', () =>
  expect(parsePodOverrides({}, { floatingIpsEnabled: false })).toEqual({ mac: undefined }));
it('hwAddr is the MAC of the container interface', () =>
  expect(parse('hwAddr', '1E:05:be:ef:00:01').mac).toBe('1e:05:be:ef:00:01'));
it('valid allowedSourcePrefixes are left to the agent', () =>
  expect(parse('allowedSourcePrefixes', '["10.0.0.0/8", "fd00::/8"]').mac).toBeUndefined());
it('valid floatingIPs are left to the agent if the feature is on', () =>
  expect(parse('floatingIPs', '["192.0.2.7"]', true).mac).toBeUndefined());

const rejects = (why: string, name: string, value: string, features?: boolean) =>
  it(`rejects ${why}`, () => {
    const parsing = () => parse(name, value, features);
    expect(parsing).toThrow(CniError);
    expect(parsing).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.invalidAnnotation,
        message: expect.stringContaining(`cni.projectcalico.org/${name}`),
      }),
    );
  });
rejects('text that is not a MAC address', 'hwAddr', 'eth0');
rejects('a multicast MAC', 'hwAddr', '01:00:5e:00:00:01');
rejects('source prefixes that are not JSON', 'allowedSourcePrefixes', '10.0.0.0/8');
rejects('source prefixes that are not a list', 'allowedSourcePrefixes', '{}');
rejects('source prefixes that are not strings', 'allowedSourcePrefixes', '[8]');
rejects('a source prefix without a prefix length', 'allowedSourcePrefixes', '["10.0.0.0"]');
rejects('floating IPs while the feature is off', 'floatingIPs', '["192.0.2.7"]');
rejects('a floating IP with a prefix length', 'floatingIPs', '["192.0.2.7/32"]', true);
rejects('a chosen address', 'ipAddrs', '["10.0.0.5"]');
rejects('a chosen address without IPAM', 'ipAddrsNoIpam', '["10.0.0.5"]');

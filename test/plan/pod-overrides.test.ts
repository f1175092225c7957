import { expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import { parsePodOverrides } from '../../src/plan/pod-overrides.ts';

const parse = (name: string, value: string, floatingIpsEnabled = false) =>
  parsePodOverrides({ [`cni.projectcalico.org/${name}`]: value }, { floatingIpsEnabled });

it('no annotation, no wish', () =>
  expect(parsePodOverrides({}, { floatingIpsEnabled: false })).toEqual({ mac: undefined }));
it('hwAddr is the MAC of the container interface', () =>
  expect(parse('hwAddr', '1E:05:be:ef:00:01').mac).toBe('1e:05:be:ef:00:01'));
it('allowedSourcePrefixes are the agent’s', () =>
  expect(parse('allowedSourcePrefixes', '["10.0.0.0/8", "fd00::/8"]').mac).toBeUndefined());
it('floatingIPs with the feature on are the agent’s', () =>
  expect(parse('floatingIPs', '["192.0.2.7"]', true).mac).toBeUndefined());

const refuses = (why: string, name: string, value: string, features?: boolean) =>
  it(`refuses ${why}`, () => {
    const refusal = () => parse(name, value, features);
    expect(refusal).toThrow(CniError);
    expect(refusal).toThrow(
      expect.objectContaining({
        code: ERROR_CODE.invalidAnnotation,
        message: expect.stringContaining(`cni.projectcalico.org/${name}`),
      }),
    );
  });
refuses('a MAC that is none', 'hwAddr', 'eth0');
refuses('a multicast MAC', 'hwAddr', '01:00:5e:00:00:01');
refuses('source prefixes that are no JSON', 'allowedSourcePrefixes', '10.0.0.0/8');
refuses('source prefixes that are no list', 'allowedSourcePrefixes', '{}');
refuses('source prefixes that are no strings', 'allowedSourcePrefixes', '[8]');
refuses('a source prefix that is no CIDR', 'allowedSourcePrefixes', '["10.0.0.0"]');
refuses('floating IPs without the feature', 'floatingIPs', '["192.0.2.7"]');
refuses('a floating IP that is no address', 'floatingIPs', '["192.0.2.7/32"]', true);
refuses('a chosen address', 'ipAddrs', '["10.0.0.5"]');
refuses('a chosen address without IPAM', 'ipAddrsNoIpam', '["10.0.0.5"]');

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { attachPod, makeTestPod } from '../support/nodes/test-pod.ts';
import { member } from '../lab/member.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

const FLOATING_IPS = { feature_control: { floating_ips: true } };
const ALL_FEATURES = { feature_control: { floating_ips: true, ip_addrs_no_ipam: true } };

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

describe('hwAddr', () => {
  it.each([
    ['lower case', '02:ab:cd:ef:00:01'],
    ['upper case', '02:AB:CD:EF:00:01'],
    ['dashes, as Go takes them', '02-ab-cd-ef-00-01'],
  ])('is the container interface’s MAC, in the kernel and in the result: %s', async (_, hwAddr) => {
    await using pod = await attachPod(node, annotated({ hwAddr }));
    const [link] = await pod.sandbox.ip('link', 'show', 'eth0');
    expect(member(link, 'address')).toBe('02:ab:cd:ef:00:01');
    expect(pod.added.answer).toMatchObject({
      interfaces: [{ mac: 'ee:ee:ee:ee:ee:ee' }, { mac: '02:ab:cd:ef:00:01' }],
    });
  });
});

describe('what the agent reads from the Pod is left to it', () => {
  it.each([
    ['allowedSourcePrefixes', '["10.0.0.0/8","fd00::/8"]', {}],
    ['allowedSourcePrefixes', '[]', {}],
    ['floatingIPs', '["192.0.2.77","2001:db8::77"]', FLOATING_IPS],
    ['ipv4pools', '["default-pool"]', {}],
  ])('%s %s', async (name, value, overrides) => {
    await using pod = await attachPod(node, { ...annotated({ [name]: value }), config: node.netconf(overrides) });
    expect(pod.added).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await pod.annotations()).toMatchObject({ [`cni.projectcalico.org/${name}`]: value });
  });
});

describe('an annotation that cannot be applied fails ADD with its name, and leaves nothing', () => {
  const rejects = (name: string, value: string, message: RegExp, overrides: JsonObject = {}) =>
    it(`${name} ${value}${overrides === ALL_FEATURES ? ', with every feature on' : ''}`, async () => {
      await using pod = await makeTestPod(node, annotated({ [name]: value }));
      const config = node.netconf(overrides);
      const answered = await node.run({ ...pod.call, verb: 'ADD', config });
      expect(answered).toMatchObject({ exitCode: 1, answer: { code: 105, msg: expect.stringMatching(message) } });
      expect(answered.answer).toMatchObject({
        msg: expect.stringContaining(`cannot apply the pod annotation cni.projectcalico.org/${name}: `),
      });
      expect(await pod.sandbox.ip('link', 'show', 'type', 'veth')).toEqual([]);
      expect(await pod.annotations()).toEqual({ [`cni.projectcalico.org/${name}`]: value });
      expect(await node.run({ ...pod.call, verb: 'DEL', config })).toMatchObject({
        exitCode: 0,
        stdout: '',
        stderr: '',
      });
    });

  rejects('hwAddr', 'no-mac', /no-mac/);
  rejects('hwAddr', '', /is not a MAC address/);
  rejects('hwAddr', '02:ab:cd:ef:00', /is not a MAC address/);
  rejects('hwAddr', '01:00:5e:00:00:01', /multicast/);
  rejects('hwAddr', '00:00:00:00:00:00', /does not identify an interface/);
  rejects('allowedSourcePrefixes', '10.0.0.0/8', /got text that is not JSON/);
  rejects('allowedSourcePrefixes', '"10.0.0.0/8"', /expected a JSON list of strings/);
  rejects('allowedSourcePrefixes', '[8]', /expected a JSON list of strings/);
  rejects('allowedSourcePrefixes', '["10.0.0.0/33"]', /10\.0\.0\.0\/33/);
  rejects('floatingIPs', '["192.0.2.77"]', /floating IPs are off/);
  rejects('floatingIPs', '["192.0.2.777"]', /192\.0\.2\.777/, ALL_FEATURES);
  rejects('floatingIPs', '{}', /expected a JSON list of strings/, ALL_FEATURES);
  rejects('ipAddrs', '["10.71.0.9"]', /a pod cannot choose its address/, ALL_FEATURES);
  rejects('ipAddrsNoIpam', '["10.71.0.9"]', /a pod cannot choose its address/, ALL_FEATURES);
});

function annotated(values: Readonly<Record<string, string>>): {
  readonly annotations: Readonly<Record<string, string>>;
} {
  const annotations = Object.entries(values).map(([name, value]) => [`cni.projectcalico.org/${name}`, value] as const);
  return { annotations: Object.fromEntries(annotations) };
}

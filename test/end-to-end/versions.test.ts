import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { SUPPORTED_VERSIONS, type CniVersion } from '../../src/cni/versions.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { makeTestPod, type TestPod } from '../support/nodes/test-pod.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { placePlugins } from '../lab/tools/place-plugins.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());

expectNoLeftovers(() => node);

const MAC = '02:00:00:00:00:05';
const DNS = {
  nameservers: ['10.96.0.10'],
  domain: 'cluster.local',
  search: ['svc.cluster.local'],
  options: ['ndots:5'],
};
const ROUTES = [
  { dst: '10.96.0.0/12', mtu: 1400, advmss: 1360, priority: 7, table: 254, scope: 0 },
  { dst: 'fd96::/108', mtu: 1400 },
] as const;

/** One known address of each family. */
const ipamOf = (routes: readonly JsonObject[] = ROUTES) => ({
  subnet: '10.72.0.0/24',
  rangeStart: '10.72.0.5',
  rangeEnd: '10.72.0.5',
  ranges: [[{ subnet: 'fd72::/64', rangeStart: 'fd72::5', rangeEnd: 'fd72::5' }]],
  routes,
});

/** Everything that each version has, and nothing that only a later version has. */
function resultOf(cniVersion: CniVersion, { hostInterface, sandbox: { path: sandbox } }: TestPod): JsonObject {
  const ipv4 = '10.72.0.5/32';
  const ipv6 = 'fd72::5/128';
  const route4 = { dst: '10.96.0.0/12' };
  const route6 = { dst: 'fd96::/108' };
  const interfaces = [
    { name: hostInterface, mac: 'ee:ee:ee:ee:ee:ee' },
    { name: 'eth0', mac: MAC, sandbox },
  ];
  const of02 = { ip4: { ip: ipv4, routes: [route4] }, ip6: { ip: ipv6, routes: [route6] }, dns: DNS };
  const of10 = {
    interfaces,
    ips: [
      { address: ipv4, interface: 1 },
      { address: ipv6, interface: 1 },
    ],
    routes: [route4, route6],
    dns: DNS,
  };
  const of03 = {
    ...of10,
    ips: [
      { version: '4', address: ipv4, interface: 1 },
      { version: '6', address: ipv6, interface: 1 },
    ],
  };
  const of11 = { ...of10, interfaces: interfaces.map((link) => ({ ...link, mtu: 1500 })), routes: ROUTES };
  const rows: Readonly<Record<CniVersion, JsonObject>> = {
    '0.1.0': of02,
    '0.2.0': of02,
    '0.3.0': of03,
    '0.3.1': of03,
    '0.4.0': of03,
    '1.0.0': of10,
    '1.1.0': of11,
  };
  return { cniVersion, ...rows[cniVersion] };
}

describe.each(SUPPORTED_VERSIONS)('cniVersion %s', (cniVersion) => {
  it('the result has what this version has, and nothing of a later one', async () => {
    await using pod = await makeTestPod(node, { annotations: { 'cni.projectcalico.org/hwAddr': MAC } });
    const call = { ...pod.call, config: node.netconf({ cniVersion, ipam: ipamOf(), dns: DNS }) };
    expect(await attachedOnce(call)).toEqual(resultOf(cniVersion, pod));
  });

  it('an error has this version, a code, a message and details, and nothing else', async () => {
    const config = node.netconf({ cniVersion });
    const refused = await node.run({ verb: 'ADD', config, sandboxPath: '/run/no-such-sandbox' });
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.answer).toEqual({ cniVersion, code: 8, msg: expect.any(String), details: expect.any(String) });
  });

  it('VERSION repeats it, with every supported version', async () => {
    const answered = await node.run({ verb: 'VERSION', config: { cniVersion } });
    expect(answered).toMatchObject({
      exitCode: 0,
      answer: { cniVersion, supportedVersions: SUPPORTED_VERSIONS },
      stderr: '',
    });
  });
});

describe('a configuration', () => {
  it('without cniVersion is of 0.1.0', async () => {
    await using pod = await makeTestPod(node, { annotations: { 'cni.projectcalico.org/hwAddr': MAC } });
    const { cniVersion: _, ...config } = node.netconf({ ipam: ipamOf(), dns: DNS });
    expect(await attachedOnce({ ...pod.call, config })).toEqual(resultOf('0.1.0', pod));
  });

  it.each(['0.5.0', '1.2.0', '2.0.0', 'newest'])(
    'of cniVersion %s is refused with code 1 by every verb',
    async (cniVersion) => {
      await using pod = await makeTestPod(node);
      for (const verb of ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS']) {
        const refused = await node.run({ ...pod.call, verb, config: node.netconf({ cniVersion }) });
        expect({ verb, ...refused }).toMatchObject({
          verb,
          exitCode: 1,
          answer: { code: 1, msg: 'incompatible CNI versions' },
        });
      }
    },
  );

  it('of a version before a verb existed is refused with code 1', async () => {
    await using pod = await makeTestPod(node);
    for (const [verb, cniVersion] of [
      ['CHECK', '0.3.1'],
      ['GC', '1.0.0'],
      ['STATUS', '1.0.0'],
    ] as const) {
      const refused = await node.run({ ...pod.call, verb, config: node.netconf({ cniVersion }) });
      expect({ verb, ...refused }).toMatchObject({
        verb,
        exitCode: 1,
        answer: { code: 1, msg: `config version does not allow ${verb}` },
      });
    }
  });
});

it('VERSION without a configuration answers with the newest version', async () => {
  const answered = await node.run({ verb: 'VERSION', config: '' });
  expect(answered).toMatchObject({
    exitCode: 0,
    answer: { cniVersion: '1.1.0', supportedVersions: SUPPORTED_VERSIONS },
  });
});

describe.each(SUPPORTED_VERSIONS)(
  'with host-local 1.1.1, which knows 1.0.0 at the most, cniVersion %s',
  (cniVersion) => {
    it('an attachment is created and removed', async () => {
      await using pod = await makeTestPod(node, { annotations: { 'cni.projectcalico.org/hwAddr': MAC } });
      // Versions before 1.1.0 have no details of routes, so this host-local cannot return them.
      const routes = ROUTES.map(({ dst }) => ({ dst }));
      const config = node.netconf({ cniVersion, ipam: ipamOf(routes), dns: DNS });
      const expected = resultOf(cniVersion, pod);
      const result = await attachedOnce({ ...pod.call, config, environment: await oldHostLocal() });
      expect(result).toEqual(cniVersion === '1.1.0' ? { ...expected, routes } : expected);
    });

    it('a DEL without sandbox and pod releases the address', async () => {
      const environment = await oldHostLocal();
      const call = { containerId: 'plain', environment, config: node.netconf({ cniVersion }) };
      {
        await using sandbox = await makeSandbox();
        expect(await node.run({ ...call, verb: 'ADD', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
      }
      expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '' });
    });
  },
);

// Before 0.3.0 a result contains one address of each family, and host-local does not allocate two.
const SEVERAL_ADDRESSES = SUPPORTED_VERSIONS.filter((version) => !['0.1.0', '0.2.0'].includes(version));
const HOST_LOCALS = ['host-local', 'host-local-1.1.1'] as const;

describe.each(HOST_LOCALS)('two IPv4 range sets, by %s', (name) => {
  it.each(SEVERAL_ADDRESSES)('give two addresses, and DEL gives both back: cniVersion %s', async (cniVersion) => {
    await using pod = await makeTestPod(node);
    const config = node.netconf({ cniVersion, ipam: { ranges: [[{ subnet: '10.73.0.0/24' }]] } });
    const environment = { CNI_PATH: await folderOf(name) };
    const result = await attachedOnce({ ...pod.call, config, environment });
    expect(addressesIn(result)).toEqual([expect.stringMatching(/^10\.71\.0\./), expect.stringMatching(/^10\.73\.0\./)]);
  });

  it.each(['0.1.0', '0.2.0'])('are refused if the result cannot name both: cniVersion %s', async (cniVersion) => {
    await using pod = await makeTestPod(node);
    const config = node.netconf({ cniVersion, ipam: { ranges: [[{ subnet: '10.73.0.0/24' }]] } });
    const environment = { CNI_PATH: await folderOf(name) };
    const refused = await node.run({ ...pod.call, verb: 'ADD', config, environment });
    expect(refused).toMatchObject({
      exitCode: 1,
      answer: { msg: expect.stringContaining('more than 1 address per family') },
    });
  });
});

it('the executable answers VERSION in a folder and with a search path where there is nothing', async () => {
  const environment = { PATH: '', CNI_PATH: '' };
  const answered = await node.run({ verb: 'VERSION', config: { cniVersion: '1.0.0' }, environment });
  expect(answered).toMatchObject({ exitCode: 0, answer: { cniVersion: '1.0.0' }, stderr: '' });
});

async function attachedOnce(call: Omit<Parameters<ApiServerNode['call']>[0], 'verb'>): Promise<JsonObject | undefined> {
  const added = await node.run({ ...call, verb: 'ADD' });
  const removed = await node.run({ ...call, verb: 'DEL' });
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(removed).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  return added.answer;
}

async function oldHostLocal(): Promise<{ readonly CNI_PATH: string }> {
  return { CNI_PATH: await folderOf('host-local-1.1.1') };
}

/** A new folder with this version of host-local. */
async function folderOf(name: 'host-local' | 'host-local-1.1.1'): Promise<string> {
  const { [name]: path } = await ensureTools([name]);
  return placePlugins({ 'host-local': path }, join(node.folder, name));
}

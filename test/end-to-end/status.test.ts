import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { makeLoopbackPod } from '../support/nodes/loopback-pod.ts';
import { CANARY_TOKEN, NODE_NAME, startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { memberText } from '../lab/member.ts';
import type { NodeState } from '../support/nodes/node-state.ts';

const NODE = { metadata: { name: NODE_NAME }, spec: { podCIDRs: ['10.73.0.0/24', 'fd73::/64'] } };

let node: LoopbackNode;
let before: NodeState;
beforeAll(async () => {
  node = await startLoopbackNode();
});
beforeEach(async () => {
  await rm(join('/run/podwire', `${network()}.status.json`), { force: true }); // the result of an earlier test
  before = await node.state();
  return async () => {
    await node.api.setFault(undefined);
    node.api.setToken(CANARY_TOKEN);
    node.api.putNode(NODE);
    node.api.writeKubeconfig(node.kubeconfigPath);
    expect(await node.state()).toEqual(before);
  };
});
afterAll(() => node[Symbol.asyncDispose]());

const network = () => memberText(node.netconf(), 'name');
const config = (overrides: JsonObject = {}) => node.netconf({ cniVersion: '1.1.0', ...overrides });
const status = (overrides: JsonObject = {}, pluginPath = node.pluginPath) =>
  // As libcni calls it: the variables are set and empty.
  node.run({
    verb: 'STATUS',
    config: config(overrides),
    pluginPath,
    environment: { CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '', CNI_ARGS: '' },
  });

describe('STATUS', () => {
  it('of a node on which ADD would succeed prints nothing', async () => {
    expect(await status()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  const unavailable = (
    why: string,
    wanted: RegExp,
    prepare: () => unknown,
    overrides: JsonObject = {},
    pluginPath?: string,
  ) =>
    it(`is 50 with ${why}`, async () => {
      await prepare();
      const { exitCode, answer } = await status(overrides, pluginPath);
      expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 50 });
      expect(`${memberText(answer, 'msg')} ${memberText(answer, 'details')}`).toMatch(wanted);
    });
  const nothing = () => undefined;
  unavailable('the delegate missing', /the IPAM plugin host-local is missing on this node/, nothing, {}, '/run/empty');
  unavailable('the kubeconfig missing', /kubeconfig/, () => rm(node.kubeconfigPath));
  unavailable('the kubeconfig cut off', /kubeconfig/, () => writeFile(node.kubeconfigPath, '{"clusters":[{'));
  unavailable('the API server refusing connections', /ECONNREFUSED|takes no connection|refused/, () =>
    node.api.setFault({ kind: 'refuse' }),
  );
  unavailable('the API server failing', /500/, () => node.api.setFault({ kind: 'status', status: 500 }));
  unavailable('the token refused', /the token was refused \(401\)/, () => node.api.setToken('another'));
  unavailable('a node that has no podCIDR', /podCIDR/, () => node.api.putNode({ ...NODE, spec: {} }));
  unavailable('a node that is not in the API', /has no node other-node/, nothing, { nodename: 'other-node' });

  it('is 51, naming the pods, when most host interfaces are gone; not for one pod, and not without sandboxes', async () => {
    await using bereft = await makeLoopbackPod(node, 'bereft');
    await using other = await makeLoopbackPod(node, 'other');
    const pods = [bereft, other];
    for (const pod of pods) {
      expect(await node.run({ verb: 'ADD', config: config(), ...pod.call })).toMatchObject({ exitCode: 0 });
    }
    expect(await status()).toMatchObject({ exitCode: 0, stderr: '' });
    // As a pod with NET_ADMIN can do it to itself.
    await bereft.sandbox.exec('ip', 'link', 'del', 'eth0');
    const warned = await status();
    expect(warned).toMatchObject({ exitCode: 0, stdout: '' });
    expect(warned.stderr).toContain(`1 of 2 pods of this node have lost their host interface: default/bereft (`);
    await hostNamespace().exec('ip', 'link', 'del', other.hostInterface);
    const { exitCode, answer } = await status();
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 51 });
    expect(memberText(answer, 'details').split(', ').toSorted()).toEqual(
      pods.map((pod) => `default/${pod.name} (${pod.hostInterface})`),
    );
    for (const pod of pods) await pod.sandbox.remove();
    expect(await status()).toMatchObject({ exitCode: 0 });
    for (const pod of pods) {
      expect(await node.run({ verb: 'DEL', config: config(), ...pod.call })).toMatchObject({ exitCode: 0 });
    }
  });

  it('sends one request to the API in 20 polls, whether it answers or not', async ({ task }) => {
    const seen: number[] = [];
    for (const fault of [undefined, { kind: 'status', status: 500 } as const]) {
      await rm(join('/run/podwire', `${network()}.status.json`), { force: true });
      await node.api.setFault(fault);
      const earlier = node.api.requests.length;
      const exitCodes = new Set<number | null>();
      for (let poll = 0; poll < 20; poll++) exitCodes.add((await status()).exitCode);
      expect([...exitCodes]).toEqual([fault === undefined ? 0 : 1]);
      seen.push(node.api.requests.length - earlier);
    }
    expect(seen).toEqual([1, 1]);
    recordFigure(task, {
      fault: 'STATUS polled by the runtime',
      promise: 'the API server is asked at most once a minute, and every 3 s while it fails',
      measured: `${seen[0]} request in 20 polls while all is well, ${seen[1]} while the server fails`,
    });
  });

  it('reports at once that the API server is unavailable, and at once that it is back', async () => {
    expect(await status()).toMatchObject({ exitCode: 0 });
    for (let times = 0; times < 3; times++) {
      await node.api.setFault({ kind: 'refuse' });
      expect(await status()).toMatchObject({ exitCode: 1, answer: { code: 50 } });
      expect(await status()).toMatchObject({ exitCode: 1, answer: { code: 50 } });
      await node.api.setFault(undefined);
      expect(await status()).toMatchObject({ exitCode: 0 });
    }
  });

  it('is passed to a delegate, and succeeds if an older one (host-local 1.1.1) refuses it', async () => {
    const tools = await ensureTools(['host-local', 'host-local-1.1.1']);
    for (const [tool, calls] of [
      ['host-local-1.1.1', ['STATUS', 'VERSION']],
      ['host-local', ['STATUS']],
    ] as const) {
      const folder = fakeDelegate(`printf '%s' "$stdin" | ${tools[tool]}`, { name: 'host-local' });
      expect(await status({}, folder)).toMatchObject({ exitCode: 0, stdout: '' });
      const lines = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
      expect(lines.map((line) => line.split(' ')[0])).toEqual(calls);
      await rm(folder, { recursive: true });
    }
  });
});

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import type { RunPod } from '../support/kubelet/pods.ts';
import { callInstalled } from './installed-plugin.ts';
import { memberText } from '../lab/member.ts';

// containerd 2.4 asks plugins for STATUS and never for GC; CRI-O does. The call is made here as libcni makes it: for each
// plugin of the list, with the attachments that the runtime knows, which are in libcni's cache.

const CACHE = '/var/lib/cni/results';
const LOST = { namespace: 'default', name: 'lost' };

let node: KubeletNode;
let web: RunPod;
let untouched: KubeletNodeState;
let sandbox: Sandbox;

beforeAll(async () => {
  node = await startKubeletNode();
  await applyDaemonSet(node);
  web = await node.pods.serve('web');
  untouched = await node.state();
  sandbox = await makeSandbox();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

it('an attachment that the runtime has forgotten is collected, and those that it knows are not', async () => {
  await node.cluster.createPod(LOST.namespace, LOST.name, { nodeName: NODE });
  const lost = node.pods.at(`/api/v1/namespaces/${LOST.namespace}/pods/${LOST.name}`);
  expect(await call('ADD')).toMatchObject({ exitCode: 0 });
  expect(await lost.annotations()).toHaveProperty(['cni.projectcalico.org/podIP']);
  expect(await node.state()).not.toEqual(untouched);

  const known = await readKnown();
  expect(known.length).toBeGreaterThan(0);
  expect(await call('GC', { 'cni.dev/valid-attachments': known })).toMatchObject({ exitCode: 0 });
  expect(await node.state()).toEqual(untouched);
  const [ipv4] = await web.addresses();
  expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
  expect(await web.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${ipv4}/32` });
  await lost.delete();
});

const call = (verb: string, more: JsonObject = {}) =>
  callInstalled(verb, { containerId: 'forgotten', pod: LOST, sandboxPath: sandbox.path, more });

async function readKnown(): Promise<readonly JsonObject[]> {
  const files = (await readdir(CACHE)).filter((name) => !name.startsWith('cni-loopback'));
  return Promise.all(
    files.map(async (name) => {
      const cached: unknown = JSON.parse(await readFile(join(CACHE, name), 'utf8'));
      return { containerID: memberText(cached, 'containerId'), ifname: memberText(cached, 'ifName') };
    }),
  );
}

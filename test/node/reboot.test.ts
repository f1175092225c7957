import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, type KubeletNodeState, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { clearFolder } from '../lab/namespaces/clear-folder.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { until } from '../lab/until.ts';
import { memberText } from '../lab/member.ts';

const run = promisify(execFile);
/** The files on /run that belong to the node. */
const FOLDERS = ['/run/netns', '/run/podwire', '/run/podwire-containerd', '/run/containerd'] as const;
const DEADLINE = { deadlineMs: 60_000 } as const;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

let node: KubeletNode;
let untouched: KubeletNodeState;
let before: KubeletNodeState;
let kept: readonly RunPod[];

beforeAll(async () => {
  node = await startKubeletNode();
  untouched = await node.state();
  await applyDaemonSet(node);
  kept = await Promise.all(
    ['a', 'b', 'c'].map((name) => node.pods.serve(`kept-${name}`, {}, { restartPolicy: 'Always' })),
  );
  before = await node.state();
  await rebootNode(node);
});
afterAll(() => node[Symbol.asyncDispose]());

it('the pods of before are attached again, and nothing is left of their old attachments', async () => {
  await Promise.all(kept.map((pod) => pod.until('is ready again', (state) => restartsOf(state) > 0 && isReady(state))));
  const after = await node.state();
  expect(count(after)).toEqual(count(before));
  for (const pod of kept) {
    const [ipv4] = await pod.addresses();
    expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
    expect(await pod.annotations()).toMatchObject({ 'cni.projectcalico.org/podIP': `${ipv4}/32` });
  }
});

it('nothing is left once they are deleted', async () => {
  await Promise.all(kept.map((pod) => pod.delete()));
  expect(await node.state()).toEqual(untouched);
});

function count(state: KubeletNodeState): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(state).map(([key, lines]) => [key, lines.length]));
}

/**
 * Does what a reboot does to a node: it ends programs and containers, removes sandboxes, interfaces and /run, and
 * changes the boot id. Files on the disk stay. Resolves when runtime and kubelet run again.
 */
async function rebootNode({ runtime, kubelet }: KubeletNode): Promise<void> {
  await kubelet.stop();
  await runtime.stop();
  assertOwnProcesses();
  // A shim that is killed leaves its containers behind.
  for (const id of await findRuntimeProcesses()) process.kill(id, 'SIGKILL');
  await until('no container runs', async () => (await findRuntimeProcesses()).length === 0, DEADLINE);
  for (const folder of FOLDERS) await clearFolder(folder);
  await until(
    'the kernel has deleted the interfaces',
    async () => {
      const links = await hostNamespace().ip('link', 'show', 'type', 'veth');
      return links.every((link) => !memberText(link, 'ifname').startsWith('cali'));
    },
    DEADLINE,
  );
  const idPath = '/run/podwire-boot-id';
  await writeFile(idPath, `${randomUUID()}\n`);
  await run('mount', ['--bind', idPath, BOOT_ID]);
  await runtime.restart();
  await kubelet.restart();
}

// Only below `unshare --pid` do all visible processes belong to the test.
function assertOwnProcesses(): void {
  if (readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')) return;
  throw new Error('this would end processes of the machine: start it as `npm run test:node`');
}

/** The ids of shims and of processes in containers. */
async function findRuntimeProcesses(): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      const read = (name: string) => readFile(join('/proc', id, name), 'utf8').catch(() => '');
      const [name, cgroups, words] = await Promise.all([read('comm'), read('cgroup'), read('cmdline')]);
      // The command line of a process that no parent has waited for is empty.
      return words !== '' && (name.startsWith('containerd-shim') || cgroups.includes('/k8s.io/')) ? [Number(id)] : [];
    }),
  );
  return found.flat();
}

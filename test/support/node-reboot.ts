import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import type { NodeMachine } from './node-machine.ts';
import { eventually } from './node-wait.ts';
import { pick } from '../lab/plugin-node.ts';

const run = promisify(execFile);
const FOLDERS = ['/run/netns', '/run/podwire', '/run/podwire-containerd', '/run/containerd'] as const;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * What a reboot does to a node: its programs and containers end, sandboxes, interfaces and /run are gone, the kernel has
 * another boot id; what is on the disk stays. Resolves once runtime and kubelet run again.
 */
export async function rebootNode({ runtime, kubelet }: NodeMachine): Promise<void> {
  await kubelet.stop();
  await runtime.stop();
  assertOwnProcesses();
  // A shim that is killed leaves its containers behind.
  for (const id of await findRuntimeProcesses()) process.kill(id, 'SIGKILL');
  await eventually('no container runs', async () => (await findRuntimeProcesses()).length === 0);
  await forgetRun();
  await eventually('the kernel has deleted the interfaces', async () => {
    const links = await hostNamespace().ip('link', 'show', 'type', 'veth');
    return links.every((link) => !pick(link, 'ifname').startsWith('cali'));
  });
  const idPath = '/run/podwire-boot-id';
  await writeFile(idPath, `${randomUUID()}\n`);
  await run('mount', ['--bind', idPath, BOOT_ID]);
  await runtime.restart();
  await kubelet.restart();
}

// Only below `unshare --pid` are all processes that we see our own.
function assertOwnProcesses(): void {
  if (readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')) return;
  throw new Error('this would end processes of the machine: start it as `npm test -- node`');
}

/** Shims and what runs in containers. */
async function findRuntimeProcesses(): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      const read = (name: string) => readFile(join('/proc', id, name), 'utf8').catch(() => '');
      const [name, cgroups, words] = await Promise.all([read('comm'), read('cgroup'), read('cmdline')]);
      // One that nobody has waited for has no words left.
      return words !== '' && (name.startsWith('containerd-shim') || cgroups.includes('/k8s.io/')) ? [Number(id)] : [];
    }),
  );
  return found.flat();
}

/** What is on /run, as far as it is the node's. */
async function forgetRun(): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => FOLDERS.some((folder) => path.startsWith(`${folder}/`)));
  for (const path of mounts.toReversed()) await run('umount', ['--lazy', path]);
  for (const folder of FOLDERS) await rm(folder, { recursive: true, force: true });
}

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clearFolder } from '../../lab/namespaces/clear-folder.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import type { KubeletNode } from './kubelet-node.ts';
import { until } from '../../lab/until.ts';
import { memberText } from '../../lab/member.ts';

const run = promisify(execFile);
/** What is on /run, as far as it is the node's. */
const FOLDERS = ['/run/netns', '/run/podwire', '/run/podwire-containerd', '/run/containerd'] as const;
const DEADLINE = { deadlineMs: 60_000 } as const;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * What a reboot does to a node: its programs and containers end, sandboxes, interfaces and /run are gone, the kernel has
 * another boot id; what is on the disk stays. Resolves once runtime and kubelet run again.
 */
export async function rebootNode({ runtime, kubelet }: KubeletNode): Promise<void> {
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

// Only below `unshare --pid` are all processes that we see our own.
function assertOwnProcesses(): void {
  if (readlinkSync('/proc/1/ns/net') === readlinkSync('/proc/self/ns/net')) return;
  throw new Error('this would end processes of the machine: start it as `npm run test:node`');
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

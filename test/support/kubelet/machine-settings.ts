import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { assertPrivateNamespace } from '../../lab/namespaces/private-namespace.ts';

const run = promisify(execFile);

/** The folders into which a node's programs write, except for /run and /var/lib, which are private already. */
const FOLDERS = ['/opt/cni', '/etc/cni', '/var/log'] as const;

/** Mounts empty folders over those of the machine. If the machine lacks them, nothing is created on its disk. */
export async function makePrivateFolders(): Promise<AsyncDisposable> {
  assertPrivateNamespace();
  await using made = new AsyncDisposableStack();
  for (const folder of FOLDERS) {
    if (!existsSync(folder)) made.use(await mountOverlay(dirname(folder)));
    await mkdir(folder, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'podwire-node', folder]);
    made.defer(async () => {
      await run('umount', ['--lazy', folder]);
    });
  }
  const folders = made.move();
  return { [Symbol.asyncDispose]: () => folders.disposeAsync() };
}

/** Redirects what is written into a folder to the private /run. */
async function mountOverlay(folder: string): Promise<AsyncDisposable> {
  const own = await mkdtemp('/run/podwire-overlay-');
  const upper = join(own, 'upper');
  const work = join(own, 'work');
  await Promise.all([mkdir(upper), mkdir(work)]);
  await run('mount', ['-t', 'overlay', '-o', `lowerdir=${folder},upperdir=${upper},workdir=${work}`, own, folder]);
  return {
    async [Symbol.asyncDispose]() {
      await run('umount', ['--lazy', folder]);
      await rm(own, { recursive: true, force: true });
    },
  };
}

const HIERARCHIES = '/sys/fs/cgroup';
/** The parent cgroup of everything that the runtime starts for the kubelet. */
const RUNTIME_CGROUP = 'k8s.io';

/** Cgroups belong to the machine. Disposing removes the empty ones, unless the machine had them before. */
export async function borrowCgroups(): Promise<AsyncDisposable> {
  const roots = [HIERARCHIES, ...(await readdir(HIERARCHIES)).map((name) => join(HIERARCHIES, name))];
  const folders = roots.map((root) => join(root, RUNTIME_CGROUP)).filter((folder) => !existsSync(folder));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(folders.map(removeEmpty));
    },
  };
}

async function removeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  await Promise.all(entries.filter((entry) => entry.isDirectory()).map(({ name }) => removeEmpty(join(folder, name))));
  await rmdir(folder).catch(() => undefined);
}

/** Settings of the whole machine that the kubelet changes. */
const SETTINGS = ['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops'].map((name) =>
  join('/proc/sys', name),
);

/** Saves the settings; disposing restores them. */
export async function keepKernelSettings(): Promise<AsyncDisposable> {
  const values = await Promise.all(SETTINGS.map((path) => readFile(path, 'utf8')));
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(SETTINGS.map((path, index) => writeFile(path, values[index] ?? '')));
    },
  };
}

const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'] as const;

/**
 * Enables forwarding, as on every node of a cluster. The agent or the administrator does this, and not a CNI plugin:
 * for IPv6 the kernel uses the setting for all interfaces and ignores that of a single one.
 */
export async function forwardOnNode(): Promise<AsyncDisposable> {
  const host = hostNamespace();
  const write = (value: '0' | '1') => host.exec('sysctl', '-q', ...FORWARDING.map((key) => `${key}=${value}`));
  await write('1');
  return {
    async [Symbol.asyncDispose]() {
      await write('0');
    },
  };
}

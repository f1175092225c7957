import { execFile } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { assertPrivateNamespace } from './private-namespace.ts';

/**
 * Removes a folder of a private file system with everything in it: files, and mounts such as the namespaces below
 * /run/netns.
 *
 * Only mounts that can be reached through the folder are unmounted. The list of mounts also contains those of the
 * machine that the private /run hides: they have the same paths, and must not be unmounted.
 *
 * @throws {Error} outside scripts/in-private-namespace.sh
 */
export async function clearFolder(folder: string): Promise<void> {
  assertPrivateNamespace();
  const id = await mountIdOf(folder);
  if (id === undefined) return;
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const reachable = mounts.filter((mount) => mount.path === folder && mount.id === id);
  const queue = [id];
  for (let parent = queue.pop(); parent !== undefined; parent = queue.pop()) {
    const children = mounts.filter((mount) => mount.parent === parent && mount.path.startsWith(`${folder}/`));
    reachable.push(...children);
    queue.push(...children.map((mount) => mount.id));
  }
  for (const { path } of reachable.toReversed()) await promisify(execFile)('umount', ['--lazy', path]);
  await rm(folder, { recursive: true, force: true });
}

/** The mount that a folder is on; `undefined` if the folder does not exist. */
async function mountIdOf(folder: string): Promise<number | undefined> {
  const handle = await open(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  await using _held = handle;
  return Number(/^mnt_id:\s+(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${handle.fd}`, 'utf8'))?.[1]);
}

interface Mount {
  readonly id: number;
  readonly parent: number;
  readonly path: string;
}

/** @see proc_pid_mountinfo(5): spaces and the like in paths are octal */
function parseMounts(mountinfo: string): readonly Mount[] {
  return mountinfo
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [id, parent, , , path = ''] = line.split(' ');
      const decoded = path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCodePoint(Number.parseInt(digits, 8)),
      );
      return { id: Number(id), parent: Number(parent), path: decoded };
    });
}

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstallerCall, InstallNode } from '../installer/install-node.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { KillPoint } from './system-call-kill.ts';

/** By which files come, change and go, with what makes them last. Programs that the installer starts make none of these but `write`. */
const CALLS = [
  'copy_file_range',
  'sendfile',
  'write',
  'pwrite64',
  'ftruncate',
  'utimensat',
  'chmod',
  'fchmod',
  'fchmodat',
  'fsync',
  'fdatasync',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'rename',
  'renameat',
  'renameat2',
  'mkdir',
  'mkdirat',
  'unlink',
  'unlinkat',
  'rmdir',
].map((call) => `?${call}`); // an architecture has some of them only

// With one thread for files their calls have the same number each time. Not with --seccomp-bpf, where strace miscounts them.
const environment = { UV_THREADPOOL_SIZE: '1' } as const;
const STRACE = ['strace', '--follow-forks', '-qq'] as const;

/**
 * The points of a call of the installer that is left alone: whenever one of its threads changes a file of the node.
 *
 * @see strace(1): `when` counts the calls of each thread apart
 */
export async function installKillPoints(node: InstallNode, call: InstallerCall): Promise<readonly KillPoint[]> {
  const tracePath = join(node.image, 'system-calls');
  const ended = await node.run({
    ...call,
    environment: { ...call.environment, ...environment },
    within: [...STRACE, '--decode-fds=path', '-o', tracePath, '-e', `trace=${CALLS.join(',')}`],
  });
  if (ended.exitCode !== 0) throw new Error(`below strace: ${ended.exitCode} ${ended.stderr}`);
  const lines = (await readFile(tracePath, 'utf8')).split('\n');
  await rm(tracePath);
  const ordinals = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || name === undefined) return [];
    const ordinal = (ordinals.get(`${thread} ${name}`) ?? 0) + 1;
    ordinals.set(`${thread} ${name}`, ordinal);
    return line.includes(node.root) ? [{ call: name, ordinal }] : [];
  });
}

/** Runs the installer and kills it there, before the call is made. */
export async function runInstallerKilledAt(
  node: InstallNode,
  call: InstallerCall,
  point: KillPoint,
): Promise<EndedExecutable> {
  const injection = `inject=${point.call}:signal=SIGKILL:when=${point.ordinal}`;
  return node.run({
    ...call,
    environment: { ...call.environment, ...environment },
    within: [...STRACE, '-o', '/dev/null', '-e', `trace=${point.call}`, '-e', injection],
  });
}

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { InstallerCall, InstallNode } from '../installer/install-node.ts';
import type { LoopbackNode } from '../nodes/loopback-node.ts';
import type { NodeCall } from '../nodes/test-node.ts';

/** A moment in the life of a process: the `ordinal`-th time that a thread of it makes this system call. */
export interface KillPoint {
  readonly call: string;
  readonly ordinal: number;
}

/**
 * System calls that change something outside the process, start or use something that does (files, sockets,
 * namespaces, threads, child processes), or wait for it.
 */
const COMMAND_CALLS = [
  'openat',
  'symlink',
  'symlinkat',
  'link',
  'linkat',
  'rename',
  'renameat',
  'renameat2',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'write',
  'writev',
  'pwrite64',
  'socket',
  'connect',
  'sendto',
  'sendmsg',
  'setns',
  'clone',
  'clone3',
  'vfork',
  'execve',
  'epoll_wait',
  'epoll_pwait',
  'wait4',
  'kill',
  'close',
  'exit_group',
] as const;

/** System calls that create, change, remove or sync files. Programs that the installer starts only call `write`. */
const INSTALLER_CALLS = [
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
] as const;

/**
 * Records the points of a command that is not killed, beginning with the first that changes something.
 *
 * @param exitCode its expected exit status
 * @see strace(1): only the main thread is traced; what other threads do is done between its calls
 */
export async function killPointsOf(node: LoopbackNode, call: NodeCall, exitCode = 0): Promise<readonly KillPoint[]> {
  const tracePath = join(node.folder, 'system-calls');
  const within = [...(call.within ?? []), 'strace', '-qq', ...traceInto(tracePath, COMMAND_CALLS)];
  const points = await readTrace(tracePath, await node.run({ ...call, within }), exitCode);
  const first = points.findIndex((point) => /^symlink(at)?$/.test(point.call)); // it acquires its slot; nothing has changed before
  if (first < 0) throw new Error(`${call.verb} acquires no slot`);
  // Reading a file or closing it changes nothing, so the point directly after it is the same state.
  return points
    .slice(first)
    .filter(({ call: name, line }) => (name === 'openat' ? line.includes('O_CREAT') : name !== 'close'));
}

/**
 * Runs the command and kills it at the point, before the system call. `signal` is null if the command never reaches
 * the point.
 */
export function runKilledAt(node: LoopbackNode, call: NodeCall, point: KillPoint): Promise<EndedExecutable> {
  return node.run({ ...call, within: [...(call.within ?? []), 'strace', '-qq', ...killAt(point)] });
}

// With a single thread for files, the calls have the same numbers in each run. With --seccomp-bpf strace would
// miscount them.
const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' } as const;
const STRACE_ALL = ['strace', '--follow-forks', '-qq'] as const;

/**
 * Records the points of an installer that is not killed: each time that one of its threads changes a file of the
 * node.
 *
 * @see strace(1): `when` counts the calls of each thread apart
 */
export async function installerKillPointsOf(node: InstallNode, call: InstallerCall): Promise<readonly KillPoint[]> {
  const tracePath = join(node.image, 'system-calls');
  const within = [...STRACE_ALL, '--decode-fds=path', ...traceInto(tracePath, INSTALLER_CALLS)];
  const ended = await node.run({ ...call, environment: { ...call.environment, ...ONE_THREAD }, within });
  const points = await readTrace(tracePath, ended, 0);
  return points.filter(({ line }) => line.includes(node.root));
}

/** Runs the installer and kills it at the point, before the system call. */
export function runInstallerKilledAt(
  node: InstallNode,
  call: InstallerCall,
  point: KillPoint,
): Promise<EndedExecutable> {
  const environment = { ...call.environment, ...ONE_THREAD };
  return node.run({ ...call, environment, within: [...STRACE_ALL, ...killAt(point)] });
}

// Each architecture has only some of these calls; with `?` strace ignores the others.
function traceInto(path: string, calls: readonly string[]): readonly string[] {
  return ['-o', path, '-e', `trace=${calls.map((call) => `?${call}`).join(',')}`];
}

function killAt({ call, ordinal }: KillPoint): readonly string[] {
  return ['-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${ordinal}`];
}

/** Reads the system calls of a trace and removes the trace. Calls are counted for each thread separately. */
async function readTrace(
  path: string,
  { exitCode, stdout, stderr }: EndedExecutable,
  expectedExitCode: number,
): Promise<readonly (KillPoint & { readonly line: string })[]> {
  if (exitCode !== expectedExitCode) throw new Error(`below strace: ${exitCode} ${stdout}${stderr}`);
  const lines = (await readFile(path, 'utf8')).split('\n');
  await rm(path);
  const ordinals = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, thread = '', call] = /^(?:(\d+) +)?(\w+)\(/.exec(line) ?? [];
    if (call === undefined) return [];
    const ordinal = (ordinals.get(`${thread} ${call}`) ?? 0) + 1;
    ordinals.set(`${thread} ${call}`, ordinal);
    return [{ call, ordinal, line }];
  });
}

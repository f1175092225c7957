import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoopbackNode } from '../nodes/loopback-node.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { NodeCall } from '../nodes/test-node.ts';

/** A moment in a command's life: the `ordinal`-th time that its main thread makes this system call. */
export interface KillPoint {
  readonly call: string;
  readonly ordinal: number;
}

/** By which a process changes the world, or hands over to what does: files, sockets, namespaces, threads, children; and its waits for them. */
const CALLS = [
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

/**
 * The points of a command that is left alone, from its first change of the world on.
 *
 * @param exitCode what it ends with
 * @see strace(1): the main thread alone is watched; what other threads do is done between its calls
 */
export async function killPointsOf(node: LoopbackNode, call: NodeCall, exitCode = 0): Promise<readonly KillPoint[]> {
  const tracePath = join(node.folder, 'system-calls');
  const { within = [] } = call;
  const ended = await node.run({
    ...call,
    within: [...within, 'strace', '-qq', '-o', tracePath, '-e', `trace=${known(CALLS)}`],
  });
  if (ended.exitCode !== exitCode)
    throw new Error(`${call.verb} below strace: ${ended.exitCode} ${ended.stdout}${ended.stderr}`);
  const lines = (await readFile(tracePath, 'utf8')).split('\n');
  await rm(tracePath);
  const ordinals = new Map<string, number>();
  const points = lines.flatMap((line) => {
    const [, name] = /^(\w+)\(/.exec(line) ?? [];
    if (name === undefined) return [];
    const ordinal = (ordinals.get(name) ?? 0) + 1;
    ordinals.set(name, ordinal);
    return [{ call: name, ordinal, line }];
  });
  const first = points.findIndex(({ line }) => /^symlink(at)?\(/.test(line)); // its turn: nothing is done before
  if (first < 0) throw new Error(`${call.verb} takes no turn:\n${lines.join('\n')}`);
  // Reading a file or closing it changes nothing, nor does what follows it at once.
  return points
    .slice(first)
    .filter(({ call: name, line }) => (name === 'openat' ? line.includes('O_CREAT') : name !== 'close'));
}

/** Runs the command and kills it there, before the call is made. `signal` is null for one that never came there. */
export async function runKilledAt(node: LoopbackNode, call: NodeCall, point: KillPoint): Promise<EndedExecutable> {
  const injection = `inject=${point.call}:signal=SIGKILL:when=${point.ordinal}`;
  const { within = [] } = call;
  return node.run({
    ...call,
    within: [...within, 'strace', '-qq', '-o', '/dev/null', '-e', `trace=${point.call}`, '-e', injection],
  });
}

// An architecture has some of them only; `?` asks for those.
function known(calls: readonly string[]): string {
  return calls.map((call) => `?${call}`).join(',');
}

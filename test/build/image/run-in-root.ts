import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface RunIo {
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that only the program gets, and not what runs it: `NAME=value`. */
  readonly variables?: readonly string[];
  /** The root is read-only, except the folder `/host`. */
  readonly isReadOnly?: boolean;
}

interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
}

const IN_PRIVATE_NAMESPACE = join(import.meta.dirname, '../../../scripts/in-private-namespace.sh');
// With /proc, because every container has it and Node reads its own path from it.
const ENTER = 'mkdir -p "$0/proc" && mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"';
const PROTECT =
  'mkdir -p "$0/host" && mount --bind "$0" "$0" && mount --bind "$0/host" "$0/host" && mount -o remount,bind,ro "$0"';
const NOTHING = { stdin: '', environment: {} };

/** Runs a program that only sees the files below `root` and /proc. */
export async function runInRoot(root: string, args: readonly string[], io: RunIo = NOTHING): Promise<RunResult> {
  const enter = io.isReadOnly === true ? `mkdir -p "$0/proc" && ${PROTECT} && ${ENTER}` : ENTER;
  return run(IN_PRIVATE_NAMESPACE, ['sh', '-c', enter, root, ...args], io);
}

/** Runs a program of the repository in private namespaces. */
export async function runInPrivateNamespace(program: string, args: readonly string[]): Promise<RunResult> {
  return run(IN_PRIVATE_NAMESPACE, ['--', process.execPath, program, ...args], NOTHING);
}

/** Runs a program for arm64 on any machine, with the loader and the libraries below `root`. */
export async function runForArm64(root: string, args: readonly string[], io: RunIo = NOTHING): Promise<RunResult> {
  const [program = '', ...rest] = args;
  const variables = (io.variables ?? []).flatMap((variable) => ['-E', variable]);
  return run('qemu-aarch64', ['-L', root, ...variables, join(root, program), ...rest], io);
}

async function run(program: string, args: readonly string[], { stdin, environment }: RunIo): Promise<RunResult> {
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined).end(stdin);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout };
}

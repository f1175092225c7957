import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface RunIo {
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
}

const PRIVATELY = join(import.meta.dirname, '../../../scripts/in-private-namespace.sh');
// /proc, because every container has one and Node asks it for its own path.
const ENTER = 'mkdir -p "$0/proc" && mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"';
const NOTHING = { stdin: '', environment: {} };

/** Runs a program that sees nothing but a root's files and /proc. */
export async function runInRoot(root: string, words: readonly string[], io: RunIo = NOTHING): Promise<Ended> {
  return run(PRIVATELY, ['sh', '-c', ENTER, root, ...words], io);
}

/** Runs a program for arm64 on a machine of any kind, with the loader and the libraries of a root. */
export async function runForArm64(root: string, words: readonly string[], io: RunIo = NOTHING): Promise<Ended> {
  const [program = '', ...rest] = words;
  return run('qemu-aarch64', ['-L', root, join(root, program), ...rest], io);
}

async function run(program: string, words: readonly string[], { stdin, environment }: RunIo): Promise<Ended> {
  const env = { PATH: process.env['PATH'] ?? '', ...environment };
  const child = spawn(program, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined).end(stdin);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout };
}

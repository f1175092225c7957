import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';

/** The executable in dist/, or the one that PODWIRE_EXECUTABLE names. */
export const EXECUTABLE = process.env['PODWIRE_EXECUTABLE'] ?? join(import.meta.dirname, '../../dist/podwire');

/** How to start the executable. It gets only this environment, which is empty by default, as stdin is. */
export interface ExecutableStart {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array;
  /** A program and its first arguments, before the executable: `['unshare', '--mount']`. */
  readonly within?: readonly string[];
  readonly executable?: string;
  /** The arguments of the executable. */
  readonly args?: readonly string[];
  readonly directory?: string;
}

/** A run that has not ended. */
export interface RunningExecutable {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<EndedExecutable>;
}

/** The outcome of one run. */
export interface EndedExecutable {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** stdout as a JSON object, `undefined` if it is anything else. */
  readonly answer: JsonObject | undefined;
}

/** Ends a run that hangs: a test that fails says more than a test that never ends. */
const HANG_MS = 30_000;

/** Starts the executable. It is killed if it runs for longer than the limit. */
export function startExecutable(start: ExecutableStart): RunningExecutable {
  const { environment = {}, stdin = '', within = [], executable = EXECUTABLE, directory = '/' } = start;
  const [program = executable, ...args]: readonly string[] = [...within, executable, ...(start.args ?? [])];
  const begunMs = performance.now();
  const child = spawn(program, args, {
    env: environment,
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: HANG_MS,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined); // it may refuse before it has read
  child.stdin.end(stdin);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(() => ({
    exitCode: child.exitCode,
    signal: child.signalCode,
    stdout,
    stderr,
    durationMs: performance.now() - begunMs,
    answer: parseObject(stdout),
  }));
  return { process: child, ended };
}

/** Runs the executable to its end. */
export function runExecutable(start: ExecutableStart = {}): Promise<EndedExecutable> {
  return startExecutable(start).ended;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

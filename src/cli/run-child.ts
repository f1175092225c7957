import { spawn } from 'node:child_process';

/** One run of a program, without arguments. */
export interface ChildRun {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** It gets the signal after this time. */
  readonly timeoutMs: number;
  readonly killSignal: 'SIGTERM' | 'SIGKILL';
}

/** How a program ended, and what it printed. */
export interface ChildEnd {
  readonly stdout: string;
  /** The last 64 KiB. */
  readonly stderr: string;
  /** `undefined` after exit status 0; otherwise `status 1`, or the name of the signal. */
  readonly failure: string | undefined;
}

const MAX_STDERR = 65_536;

/**
 * Runs a program until it has ended.
 *
 * @throws {Error} an errno of the system, if it cannot be started
 */
export function runChild({ path, environment, stdin, timeoutMs, killSignal }: ChildRun): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], {
      env: environment,
      cwd: '/',
      timeout: timeoutMs,
      killSignal,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.on('error', reject);
    child.stdin.on('error', () => undefined); // it may end without reading its input
    child.stdin.end(stdin);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-MAX_STDERR)));
    child.on('close', (code, signal) => {
      resolve({ stdout, stderr, failure: code === 0 ? undefined : (signal ?? `status ${code}`) });
    });
  });
}

import { spawn } from 'node:child_process';
import { messageOf } from '../system/error-text.ts';

/** One command of the CNI protocol, as a runtime calls it. */
export interface SelfRun {
  readonly executablePath: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly config: object;
  readonly timeoutMs: number;
}

/** How it ended. */
export interface SelfEnd {
  readonly succeeded: boolean;
  readonly stdout: string;
  /** The message of the error result, with the number of its finding; empty after a success. */
  readonly message: string;
  readonly stderr: string;
}

/** Runs this program as a runtime does, in a separate process: the same code with the same rights. */
export function runSelf({ executablePath, environment, config, timeoutMs }: SelfRun): Promise<SelfEnd> {
  return new Promise((resolve) => {
    const child = spawn(executablePath, [], {
      env: environment,
      cwd: '/',
      timeout: timeoutMs,
      killSignal: 'SIGTERM',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.on('error', (error) => resolve({ succeeded: false, stdout, stderr, message: messageOf(error) }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(config));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('close', (code, signal) => {
      const message = code === 0 ? '' : (messageIn(stdout) ?? `it ended with ${signal ?? `status ${code}`}`);
      resolve({ succeeded: code === 0, stdout, stderr, message });
    });
  });
}

function messageIn(stdout: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(stdout);
    const message: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'msg') : undefined;
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

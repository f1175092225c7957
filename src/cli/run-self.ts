import { runChild } from './run-child.ts';
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
export async function runSelf({ executablePath, environment, config, timeoutMs }: SelfRun): Promise<SelfEnd> {
  const stdin = JSON.stringify(config);
  try {
    const run = { path: executablePath, environment, stdin, timeoutMs, killSignal: 'SIGTERM' } as const;
    const { stdout, stderr, failure } = await runChild(run);
    const message = failure === undefined ? '' : (messageIn(stdout) ?? `it ended with ${failure}`);
    return { succeeded: failure === undefined, stdout, stderr, message };
  } catch (error) {
    return { succeeded: false, stdout: '', stderr: '', message: messageOf(error) };
  }
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

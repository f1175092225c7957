import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** The exit status of scripts/in-private-namespace.sh when it cannot create a namespace. */
export const NO_NAMESPACE = 125;

export interface PrivateProgram {
  /** A script for Node. */
  readonly program: string;
  readonly args: readonly string[];
  /** Written to its stdin, which then stays open until it is to stop. */
  readonly input?: string;
  readonly interrupted: AbortSignal;
}

/**
 * Runs a part of a demo in a private namespace, to its end. The end of its stdin asks it to stop and clean up; this
 * also happens if the present process is killed.
 *
 * @returns its exit status
 * @throws the reason of `interrupted`, after the program has ended
 */
export async function startInPrivateNamespace(options: PrivateProgram): Promise<number | null> {
  const { program, args, input, interrupted } = options;
  interrupted.throwIfAborted();
  const script = join(REPOSITORY, 'scripts/in-private-namespace.sh');
  const child = spawn('sh', [script, '--', process.execPath, program, ...args], {
    cwd: REPOSITORY,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(child, 'close');
  child.stdin.on('error', () => undefined); // it may have ended before reading
  if (input !== undefined) child.stdin.write(input);
  interrupted.addEventListener('abort', () => child.stdin.end(), { once: true });
  if (interrupted.aborted) child.stdin.end();
  await ended;
  interrupted.throwIfAborted();
  return child.exitCode;
}

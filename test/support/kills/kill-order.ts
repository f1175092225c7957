import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RequestInput } from '../../../src/netconf/request.ts';
import type { Moment } from '../commands/effects-points.ts';

/** A call of a command, and the point at which it is killed. */
export interface KillOrder {
  readonly environment: RequestInput['environment'];
  readonly stdin: string;
  /** The parent folder of its journal. */
  readonly folder: string;
  /** `undefined`: the command is not killed. */
  readonly point: string | undefined;
  readonly moment: Moment;
}

/**
 * Runs a command in a separate process, which kills itself at the point. Returns the signal that ended it, or its
 * exit status.
 */
export async function runToKill(
  input: RequestInput,
  { cacheFolder, ...order }: Omit<KillOrder, 'environment' | 'stdin'> & { readonly cacheFolder: string },
): Promise<string> {
  const program = fileURLToPath(import.meta.resolve('./killed-command.ts'));
  const child = spawn(process.execPath, [program], {
    // Node writes this cache when a process exits normally. After a run that is not killed, later runs start four
    // times as fast.
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: cacheFolder },
    stdio: ['pipe', 'ignore', 'inherit'],
    timeout: 30_000,
  });
  const { environment, stdin } = input;
  child.stdin.end(JSON.stringify({ ...order, environment, stdin: new TextDecoder().decode(stdin) }));
  await once(child, 'close');
  return child.signalCode ?? `status ${child.exitCode}`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const IN_PRIVATE_NAMESPACE = join(REPOSITORY, 'scripts', 'in-private-namespace.sh');

/**
 * Runs a program to its end, in the repository's folder and with this terminal, where it cannot change the machine's own network.
 *
 * @returns its exit status; 1 if a signal ended it
 * @throws {Error} if it cannot be started
 */
export async function runInPrivateNamespace(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  return runProgram(IN_PRIVATE_NAMESPACE, ['--', program, ...args], environment);
}

async function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(program, args, {
    cwd: REPOSITORY,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  await once(child, 'close');
  return child.exitCode ?? 1;
}

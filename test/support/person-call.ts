import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { EXECUTABLE } from '../lab/run-executable.ts';

/** What a person types, and what the shell around it has. */
export interface PersonCall {
  readonly words?: readonly string[];
  readonly stdin?: string;
  /** All that the program gets. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly executable?: string;
  readonly folder?: string;
}

export interface PersonAnswer {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the executable as somebody at a terminal does, without CNI_COMMAND. */
export async function callAsPerson(call: PersonCall = {}): Promise<PersonAnswer> {
  const { words = [], stdin = '', environment = {}, executable = EXECUTABLE, folder = '/' } = call;
  const child = spawn(executable, words, { env: environment, cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => undefined); // most commands do not read it
  child.stdin.end(stdin);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout, stderr };
}

import { spawn } from 'node:child_process';
import { isJsonList, parseJsonObject } from '../json/json.ts';
import { errnoOf } from '../system/error-text.ts';
import { failedRunError, type FailedRun } from './failed-run.ts';

/**
 * Asks a CNI plugin for its versions.
 *
 * @param program the path of the program on the node, for messages
 * @throws {InstallError} naming what the node lacks
 */
export async function verifyProgram(path: string, program: string): Promise<void> {
  const ran = await run(path);
  if (!isVersionAnswer(ran.stdout)) throw failedRunError({ program, ...ran });
}

interface Run extends Omit<FailedRun, 'program'> {
  readonly stdout: string;
}

const MAX_RUN_MS = 60_000;

function run(path: string): Promise<Run> {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const ended = (signal: string | null, errno?: string) => resolve({ signal, errno, stdout, stderr });
    const options = { env: { CNI_COMMAND: 'VERSION' }, cwd: '/', timeout: MAX_RUN_MS, killSignal: 'SIGKILL' } as const;
    const child = spawn(path, [], options);
    child.on('error', (error) => ended(null, errnoOf(error) ?? 'unknown error'));
    child.stdin.on('error', () => undefined); // the program may end without reading it
    child.stdin.end('{"cniVersion":"1.0.0"}');
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)));
    child.on('close', (_, signal) => ended(signal));
  });
}

function isVersionAnswer(stdout: string): boolean {
  try {
    const versions = parseJsonObject(stdout)['supportedVersions'] ?? null;
    return isJsonList(versions) && versions.length > 0;
  } catch {
    return false;
  }
}

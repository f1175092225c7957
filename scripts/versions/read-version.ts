import { execFile } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { promisify } from 'node:util';
import { debianProgram } from '../../test/lab/tools/debian-program.ts';
import { ensureTools } from '../../test/lab/tools/ensure-tools.ts';
import type { VersionSource } from './partners.ts';

const run = promisify(execFile);

/**
 * Asks a program for its version. A Go program contains the versions of its modules.
 *
 * @throws {Error} if it does not report one
 */
export async function readVersion(source: VersionSource): Promise<string> {
  const version =
    source.kind === 'module'
      ? moduleVersion(await describeGoProgram(source.tool), source.module)
      : source.pattern.exec(await outputOf(source.command))?.[1];
  if (version === undefined) throw new Error(`no version in the answer of ${JSON.stringify(source)}`);
  return version.replace(/^v/, '');
}

/** The version of a module in the output of `go version -m`; that of its replacement, if it has one. */
export function moduleVersion(description: string, module: string): string | undefined {
  const lines = description.split('\n').map((line) => line.trim().split('\t'));
  const index = lines.findIndex(([kind, name]) => (kind === 'dep' || kind === 'mod') && name === module);
  const next = lines[index + 1];
  return next?.[0] === '=>' ? next[2] : lines[index]?.[2];
}

async function describeGoProgram(tool: Extract<VersionSource, { kind: 'module' }>['tool']): Promise<string> {
  const { [tool]: path } = await ensureTools([tool]);
  const { stdout } = await run('go', ['version', '-m', path]);
  return stdout;
}

async function outputOf([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  const folders = program === 'bird' ? [dirname(await debianProgram('bird'))] : [];
  const PATH = [...folders, process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter);
  const { stdout, stderr } = await run(program, args, { env: { ...process.env, PATH } });
  return `${stdout}${stderr}`;
}

import { runChild } from '../run-child.ts';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { arch } from 'node:process';
import { assertRunnable } from '../../delegate/find-delegate.ts';
import type { ProgramFact, ProgramProblem } from '../../diagnosis/facts.ts';
import { quoteForShell } from '../../diagnosis/check-runtime.ts';
import { readLoaderPath } from '../../install/bind-executable.ts';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject } from '../../json/json.ts';
import { errnoOf, messageOf } from '../../system/error-text.ts';
import type { NodeFiles } from './node-files.ts';
import { mountOf } from './mount-of.ts';
import { pluginsOf } from './observe-configs.ts';

/** The types of all plugins and IPAM plugins of a network configuration. */
export function typesIn(list: JsonObject): readonly string[] {
  const types = pluginsOf(list).flatMap(({ type, ipam }) => [type, isJsonObject(ipam) ? ipam['type'] : undefined]);
  return [...new Set(types.filter((type) => typeof type === 'string'))];
}

/** Finds each plugin in the folders of the runtime, and asks it for its versions. */
export async function observePrograms(
  types: readonly string[],
  folders: readonly string[],
  files: NodeFiles,
  timeoutMs: number,
): Promise<readonly ProgramFact[]> {
  return Promise.all(types.map((type) => observeProgram(type, folders, files, timeoutMs)));
}

async function observeProgram(
  type: string,
  folders: readonly string[],
  files: NodeFiles,
  timeoutMs: number,
): Promise<ProgramFact> {
  const path = folders.map((folder) => join(files.at(folder), type)).find(isFile);
  if (path === undefined) {
    const text = folders.join(':');
    return { type, path: undefined, problem: { kind: 'missing', text, fix: [] }, versions: [] };
  }
  const shown = files.show(path);
  const problem = findFileProblem(path, files);
  if (problem !== undefined) return { type, path: shown, problem, versions: [] };
  const ran = await askVersions(path, timeoutMs);
  return Array.isArray(ran)
    ? { type, path: shown, problem: undefined, versions: ran }
    : { type, path: shown, problem: await explainRun(path, String(ran), files), versions: [] };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function findFileProblem(path: string, files: NodeFiles): ProgramProblem | undefined {
  try {
    assertRunnable(path, statSync(path), files.show);
    if (!isForOtherMachine(path)) return undefined;
    return { kind: 'other', text: `${files.show(path)} was built for another architecture`, fix: [] };
  } catch (error) {
    const shown = quoteForShell(files.show(path));
    // From within the container, the folders above the mount are not those of the node.
    const [, changeable] = /can change (\/[^;]*);/.exec(messageOf(error)) ?? [];
    const fix =
      changeable === undefined
        ? [`chmod 0755 ${shown}`]
        : [`chown root:root ${changeable}`, `chmod 0755 ${changeable}`];
    return { kind: 'other', text: messageOf(error), fix };
  }
}

/** The number of each architecture in the header of an ELF file, e_machine. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

// A shell would be started for such a file, and its error would explain nothing.
function isForOtherMachine(path: string): boolean {
  const header = Buffer.alloc(20);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, header);
  } finally {
    closeSync(fd);
  }
  return header.subarray(0, 4).toString('latin1') === '\u007fELF' && header.readUInt16LE(18) !== MACHINES[arch];
}

/** The versions that a plugin supports, or why it did not report them. */
async function askVersions(path: string, timeoutMs: number): Promise<readonly string[] | string> {
  const environment = { CNI_COMMAND: 'VERSION' };
  try {
    const stdin = '{"cniVersion":"1.0.0"}';
    const { stdout, stderr, failure } = await runChild({ path, environment, stdin, timeoutMs, killSignal: 'SIGKILL' });
    const words = stderr.trim().slice(-2000);
    return versionsIn(stdout) ?? `it ended with ${failure ?? 'status 0'}${words === '' ? '' : `: ${words}`}`;
  } catch (error) {
    return `${errnoOf(error) ?? 'error'}: ${messageOf(error)}`;
  }
}

function versionsIn(stdout: string): readonly string[] | undefined {
  try {
    const versions = parseJsonObject(stdout)['supportedVersions'] ?? null;
    return isJsonList(versions) ? versions.map(String) : undefined;
  } catch {
    return undefined;
  }
}

async function explainRun(path: string, failure: string, files: NodeFiles): Promise<ProgramProblem | undefined> {
  const shown = files.show(path);
  const loader = failure.startsWith('ENOENT') ? await readLoaderPath(path) : undefined;
  if (loader !== undefined) {
    // In a container, the kernel looks for it among the files of the container.
    if (files.root !== '/' && existsSync(files.at(loader))) return undefined;
    return { kind: 'loader', text: `${shown}: its loader ${loader} is missing`, fix: [] };
  }
  const mount = mountOf(path);
  if (failure.startsWith('EACCES') && mount?.options.includes('noexec') === true) {
    const folder = quoteForShell(mount.folder);
    const text = `${shown} is on a file system that is mounted noexec (${mount.folder})`;
    return { kind: 'noexec', text, fix: [`mount -o remount,exec ${folder}`] };
  }
  const [, library] = /(\S+\.so[\d.]*): cannot open shared object file/.exec(failure) ?? [];
  if (library !== undefined) return { kind: 'other', text: `${shown}: the library ${library} is missing`, fix: [] };
  if (failure.startsWith('EACCES')) {
    return {
      kind: 'other',
      text: `${shown}: a security module forbids execution`,
      fix: ['ausearch -m avc -ts recent'],
    };
  }
  return { kind: 'other', text: `${shown}: ${failure}`, fix: [] };
}

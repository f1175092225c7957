import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { arch } from 'node:process';
import { isJsonList, parseJsonObject } from '../json/json.ts';
import { errnoOf } from '../system/error-text.ts';
import { explainFailedRun, NO_LOADER, type FailedRun } from './failed-run.ts';
import { isFolder } from './observe-node.ts';
import { libraryFolders, LOADERS, missingOnNode } from './node-libraries.ts';

/**
 * Runs a CNI plugin for its versions, and looks whether the node has the libraries that it needs.
 *
 * @param nodeRoot where the node's file system is mounted; undefined where this process runs on the node, or nobody has
 * @throws {CniError} 50 with what the node lacks
 */
export async function verifyProgram(path: string, program: string, nodeRoot: string | undefined): Promise<void> {
  const ran = await run(path, [], { CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}');
  if (!isVersionAnswer(ran.stdout)) throw explainFailedRun({ program, ...ran });
  if (nodeRoot !== undefined) await verifyLibraries(path, program, nodeRoot);
}

/** Whether somebody has mounted the node's file system there, so that its libraries can be seen. */
export function hasNodeRoot(nodeRoot: string): Promise<boolean> {
  return isFolder(join(nodeRoot, 'usr'));
}

async function verifyLibraries(path: string, program: string, nodeRoot: string): Promise<void> {
  if (!(await isDynamic(path))) return;
  const loader = await firstExecutable((LOADERS[arch] ?? []).map((name) => join(nodeRoot, name)));
  const failed = { program, errno: undefined, signal: null };
  if (loader === undefined) throw explainFailedRun({ ...failed, errno: 'ENOENT', stderr: NO_LOADER });
  const words = ['--inhibit-cache', '--library-path', libraryFolders(nodeRoot, arch).join(':'), '--list', path];
  const missing = missingOnNode(await run(loader, words, {}, ''), nodeRoot);
  if (missing !== undefined) throw explainFailedRun({ ...failed, stderr: missing });
}

// Go's plugins are static, and a loader refuses these. The headers of an executable with assets stand at its end.
async function isDynamic(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer: head } = await file.read(Buffer.alloc(ELF_HEADER_BYTES), 0, ELF_HEADER_BYTES, 0);
  if (!head.subarray(0, 4).equals(ELF_MAGIC)) return false;
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  const { buffer: headers } = await file.read(Buffer.alloc(size * count), 0, size * count, start);
  return Array.from({ length: count }, (_, index) => headers.readUInt32LE(index * size)).includes(PT_INTERP);
}

const ELF_MAGIC = Buffer.from('\x7fELF');
const ELF_HEADER_BYTES = 64;
const PT_INTERP = 3;

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

interface Run extends Omit<FailedRun, 'program'> {
  readonly exitCode: number | null;
  readonly stdout: string;
}

const HANG_MS = 60_000;

function run(path: string, words: readonly string[], environment: Record<string, string>, stdin: string): Promise<Run> {
  return new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    const ended = (exitCode: number | null, signal: string | null, errno?: string) =>
      resolve({ exitCode, signal, errno, stdout, stderr });
    const child = spawn(path, words, { env: environment, cwd: '/', timeout: HANG_MS, killSignal: 'SIGKILL' });
    child.on('error', (error) => ended(null, null, errnoOf(error) ?? 'unknown error'));
    child.stdin.on('error', () => undefined); // it may not read
    child.stdin.end(stdin);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-4096)));
    child.on('close', (exitCode, signal) => ended(exitCode, signal));
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

import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { join } from 'node:path';
import { arch } from 'node:process';
import { isJsonList, parseJsonObject } from '../json/json.ts';
import { errnoOf } from '../system/error-text.ts';
import { failedRunError, NO_LOADER, type FailedRun } from './failed-run.ts';
import { isFolder } from './observe-node.ts';
import { libraryFolders, LOADERS, missingOnNode } from './node-libraries.ts';

/**
 * Asks a CNI plugin for its versions, and checks that the node has the libraries that it needs.
 *
 * @param program the path of the program on the node, for messages
 * @param nodeRoot where the node's file system is mounted; `undefined` if this process runs on the node, or it is not
 *   mounted
 * @throws {InstallError} naming what the node lacks
 */
export async function verifyProgram(path: string, program: string, nodeRoot: string | undefined): Promise<void> {
  const ran = await run(path, [], { CNI_COMMAND: 'VERSION' }, '{"cniVersion":"1.0.0"}');
  if (!isVersionAnswer(ran.stdout)) throw failedRunError({ program, ...ran });
  if (nodeRoot !== undefined) await verifyLibraries(path, program, nodeRoot);
}

/** Whether the node's file system is mounted there, so that its libraries can be checked. */
export function hasNodeRoot(nodeRoot: string): Promise<boolean> {
  return isFolder(join(nodeRoot, 'usr'));
}

async function verifyLibraries(path: string, program: string, nodeRoot: string): Promise<void> {
  if (!(await isDynamic(path))) return;
  const loader = await firstExecutable((LOADERS[arch] ?? []).map((name) => join(nodeRoot, name)));
  const failedRun = { program, errno: undefined, signal: null };
  if (loader === undefined) throw failedRunError({ ...failedRun, errno: 'ENOENT', stderr: NO_LOADER });
  const args = ['--inhibit-cache', '--library-path', libraryFolders(nodeRoot, arch).join(':'), '--list', path];
  const missing = missingOnNode(await run(loader, args, {}, ''), nodeRoot);
  if (missing !== undefined) throw failedRunError({ ...failedRun, stderr: missing });
}

// Plugins written in Go are static, and the loader rejects these. An executable with assets has its headers at its end.
async function isDynamic(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer: head } = await file.read(Buffer.alloc(ELF_HEADER_BYTES), 0, ELF_HEADER_BYTES, 0);
  if (!head.subarray(0, 4).equals(ELF_MAGIC)) return false;
  const start = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  const { buffer: headers } = await file.read(Buffer.alloc(size * count), 0, size * count, start);
  return Array.from({ length: count }, (_, index) => headers.readUInt32LE(index * size)).includes(PT_INTERP);
}

const ELF_MAGIC = Buffer.from('\x7fELF');
const ELF_HEADER_BYTES = 64;
const PT_INTERP = 3;

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const isExecutable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return path;
  }
  return undefined;
}

interface Run extends Omit<FailedRun, 'program'> {
  readonly exitCode: number | null;
  readonly stdout: string;
}

const MAX_RUN_MS = 60_000;

function run(path: string, args: readonly string[], environment: Record<string, string>, stdin: string): Promise<Run> {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const ended = (exitCode: number | null, signal: string | null, errno?: string) =>
      resolve({ exitCode, signal, errno, stdout, stderr });
    const child = spawn(path, args, { env: environment, cwd: '/', timeout: MAX_RUN_MS, killSignal: 'SIGKILL' });
    child.on('error', (error) => ended(null, null, errnoOf(error) ?? 'unknown error'));
    child.stdin.on('error', () => undefined); // the program may end without reading it
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

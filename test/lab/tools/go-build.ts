import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import type { OnToolProgress } from './tool-progress.ts';
import { toolNamed, type ToolName } from './tool-table.ts';

const TOOLS_FOLDER = join(import.meta.dirname, '../../tools');
const REPOSITORY = join(TOOLS_FOLDER, '..', '..');
const HEARTBEAT_MS = 1000;

/**
 * The path of a build of the tool, whether it exists or not: dist/tools/<hash>/<file name>. The hash covers
 * everything that affects the build, so an existing file is up to date.
 */
export async function builtToolPath(name: ToolName): Promise<string> {
  const { module, fileName, linkerFlags } = toolNamed(name);
  const hash = createHash('sha256').update(`${process.arch}\n${linkerFlags ?? ''}\n`);
  const folder = join(TOOLS_FOLDER, module);
  const files = (await readdir(folder)).filter((file) => /\.(mod|sum|go)$/.test(file)).toSorted();
  for (const file of files) hash.update(await readFile(join(folder, file)));
  return join(REPOSITORY, 'dist', 'tools', hash.digest('hex').slice(0, 16), fileName);
}

/** True if the file exists and this process may execute it. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Builds one tool from its pinned Go module, unless it has been built. Callers at the same time, in any process,
 * build it once.
 *
 * @returns the absolute path of the executable
 * @throws {Error} with the command to run, if Go is missing or a module cannot be downloaded
 */
export async function goBuild(name: ToolName, onProgress: OnToolProgress): Promise<string> {
  const path = await builtToolPath(name);
  const begunMs = performance.now();
  const elapsedSeconds = () => (performance.now() - begunMs) / 1000;
  if (await isExecutable(path)) {
    onProgress({ tool: name, stage: 'found', elapsedSeconds: 0, detail: path });
    return path;
  }
  await mkdir(join(path, '..'), { recursive: true });
  const report = () =>
    onProgress({ tool: name, stage: 'building', elapsedSeconds: elapsedSeconds(), detail: toolNamed(name).package });
  report();
  const heartbeat = setInterval(report, HEARTBEAT_MS);
  try {
    await runLocked(name, path);
  } finally {
    clearInterval(heartbeat);
  }
  onProgress({ tool: name, stage: 'built', elapsedSeconds: elapsedSeconds(), detail: path });
  return path;
}

// The kernel releases the lock of flock(1) when its holder ends, so that no lock can be stale. A caller that has
// waited finds the file. The file is renamed to its name when it is complete.
const BUILD_ONCE = `
test -x "$1" && exit 0
go $4 -trimpath -ldflags="-s -w $3" -o "$1.partial" "$2" && mv "$1.partial" "$1"
`;

async function runLocked(name: ToolName, path: string): Promise<void> {
  const { module, package: goPackage, linkerFlags, isTest } = toolNamed(name);
  const verb = isTest === true ? 'test -c' : 'build';
  const command = ['sh', '-c', BUILD_ONCE, 'sh', path, goPackage, linkerFlags ?? '', verb];
  const { status, stderr } = await run('flock', [`${path}.lock`, ...command], {
    cwd: join(TOOLS_FOLDER, module),
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' },
  });
  if (status === 0) return;
  throw new Error(`${explainFailure(name, module, stderr)}\n\n${lastLines(stderr, 12)}`);
}

function explainFailure(name: ToolName, module: string, stderr: string): string {
  const again = `npm run tools -- ${name}`;
  if (/\bgo: (command )?not found/.test(stderr)) {
    const instead = { envtest: 'set KUBEBUILDER_ASSETS', plugin: 'set CNI_PATH', never: undefined }[
      toolNamed(name).installed
    ];
    const otherwise = instead === undefined ? '' : ` Or ${instead} to a folder that has ${name}.`;
    return `Building ${name} needs Go 1.21 or newer on PATH. Install it, then run: ${again}.${otherwise}`;
  }
  if (/dial tcp|no such host|i\/o timeout|connection refused|proxyconnect|TLS handshake|: 50\d /.test(stderr)) {
    const folder = join('test', 'tools', module);
    return `A Go module for ${name} could not be downloaded. With a network, run: (cd ${folder} && go mod download) && ${again}`;
  }
  return `Building ${name} failed. To run it again: ${again}`;
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

function run(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<{ status: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-64 * 1024);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? 1, stderr }));
  });
}

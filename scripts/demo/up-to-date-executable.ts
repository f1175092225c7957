import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const OUTPUT = join(REPOSITORY, 'dist', 'podwire');
const SOURCES = ['src', 'build', 'scripts/build.ts', 'package-lock.json'];

/**
 * dist/podwire, built unless it is younger than all that it is made of. An interrupted build leaves nothing.
 *
 * @returns its path, and whether it was there
 * @throws {Error} with what the build printed
 */
export async function upToDateExecutable(interrupted: AbortSignal): Promise<{ path: string; wasThere: boolean }> {
  const builtMs = await modifiedMs(OUTPUT);
  const newest = await Promise.all(SOURCES.map((path) => newestMs(join(REPOSITORY, path))));
  if (builtMs > Math.max(...newest)) return { path: OUTPUT, wasThere: true };
  const dist = join(REPOSITORY, 'dist');
  await mkdir(dist, { recursive: true });
  const work = await mkdtemp(join(dist, '.demo-'));
  try {
    const built = join(work, 'podwire');
    const begunAt = new Date();
    await build(built, interrupted);
    await utimes(built, begunAt, begunAt); // what was changed meanwhile is younger
    for (const ending of ['.third-party-notices.txt', '']) await rename(`${built}${ending}`, `${OUTPUT}${ending}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { path: OUTPUT, wasThere: false };
}

async function build(output: string, interrupted: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [join(REPOSITORY, 'scripts/build.ts'), '--output', output], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended
  });
  const { pid } = child;
  const end = () => {
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGKILL');
  };
  interrupted.addEventListener('abort', end, { once: true });
  if (interrupted.aborted) end();
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (printed += text.toString()));
  await once(child, 'close');
  interrupted.removeEventListener('abort', end);
  interrupted.throwIfAborted();
  if (child.exitCode !== 0) throw new Error(`the build failed; it printed:\n${printed.trimEnd()}`);
}

async function newestMs(path: string): Promise<number> {
  if (!(await stat(path)).isDirectory()) return modifiedMs(path);
  const files = await readdir(path, { recursive: true });
  return Math.max(...(await Promise.all(files.map((file) => modifiedMs(join(path, file))))));
}

async function modifiedMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

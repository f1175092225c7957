import { execFile } from 'node:child_process';
import { copyFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';

/**
 * Node's options in the executable, not V8's: one V8 flag and every code cache, the builtins' too, is rejected (+12 ms).
 *
 * `--use-openssl-ca`: no thread that parses 150 bundled roots, which we never use. `--no-use-system-ca`: else
 * NODE_USE_SYSTEM_CA=1 in the kubelet's environment ends the process with exit code 9 before our first line.
 */
export const NODE_OPTIONS_INSIDE = ['--use-openssl-ca', '--no-use-system-ca'] as const;

/**
 * Copies Node without its symbol table: 18 MB less on every node. Before the injection, because an executable that is
 * stripped after it crashes.
 *
 * @returns `unstripped` when this machine has no `strip`; the executable is larger then and otherwise the same
 */
export async function stripNode(nodePath: string, outputPath: string): Promise<'stripped' | 'unstripped'> {
  await copyFile(nodePath, outputPath);
  try {
    await promisify(execFile)('strip', [outputPath]);
    return 'stripped';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'unstripped';
    throw error;
  }
}

export interface ExecutableOptions {
  readonly nodePath: string;
  readonly arch: 'x64' | 'arm64';
  readonly bootstrapPath: string;
  /** Name inside the executable to file. */
  readonly assets: Readonly<Record<string, string>>;
  readonly outputPath: string;
}

/** Puts the bootstrap and the assets into a copy of Node. */
export async function makeExecutable(options: ExecutableOptions): Promise<{ sizeBytes: number }> {
  const { nodePath, arch, bootstrapPath, assets, outputPath } = options;
  const seaConfig = {
    // Replaces the absolute path that pkg would write into the executable. pkg's working directory is a folder of
    // a random name below TMPDIR, so this one is the bootstrap's, and the same on every machine.
    main: `../${basename(bootstrapPath)}`,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: NODE_OPTIONS_INSIDE,
    execArgvExtension: 'none', // NODE_OPTIONS of the kubelet's environment must not reach a root process
    assets: { ...assets },
  };
  const temporary = join(dirname(bootstrapPath), 'executable');
  await inTemporaryFolder(dirname(bootstrapPath), () =>
    pkg.default(bootstrapPath, {
      targets: [{ nodeRange: 'node24', platform: 'linux', arch, output: temporary }],
      nodePath,
      seaConfig,
    }),
  );
  // A rename, not a write: the old executable may be running.
  await rename(temporary, outputPath);
  return { sizeBytes: (await stat(outputPath)).size };
}

async function inTemporaryFolder(folder: string, action: () => Promise<void>): Promise<void> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  try {
    await action();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

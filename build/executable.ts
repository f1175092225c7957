import { readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { thisArchitecture, type Architecture } from './architecture.ts';
import { parseElf } from './elf.ts';
import { injectIntoOtherNode } from './other-architecture.ts';

/**
 * Node's options in the executable, not V8's: one V8 flag and every code cache, the builtins' too, is rejected (+12 ms).
 *
 * `--use-openssl-ca`: no thread that parses 150 bundled roots, which we never use. `--no-use-system-ca`: else
 * NODE_USE_SYSTEM_CA=1 in the kubelet's environment ends the process with exit code 9 before our first line.
 * `--v8-pool-size=1`: one worker thread for V8 and not four, each of which takes time to start; no command has work for them.
 */
export const NODE_OPTIONS_INSIDE = ['--use-openssl-ca', '--no-use-system-ca', '--v8-pool-size=1'] as const;

export interface ExecutableOptions {
  readonly nodePath: string;
  readonly architecture: Architecture;
  readonly bootstrapPath: string;
  /** Name inside the executable to file. */
  readonly assets: Readonly<Record<string, string>>;
  readonly outputPath: string;
  /** A Node that runs here, of the same version. */
  readonly generatorPath: string;
}

/**
 * Puts the bootstrap and the assets into a copy of Node.
 *
 * @throws {Error} if what came out is for another architecture
 */
export async function makeExecutable(options: ExecutableOptions): Promise<{ sizeBytes: number }> {
  const { nodePath, architecture, bootstrapPath, outputPath, generatorPath } = options;
  const seaConfig = seaConfigOf(options.assets);
  const temporary = join(dirname(bootstrapPath), 'executable');
  if (architecture === thisArchitecture()) await injectWithPkg({ ...options, outputPath: temporary }, seaConfig);
  else await injectIntoOtherNode(generatorPath, { nodePath, bootstrapPath, outputPath: temporary }, seaConfig);
  const bytes = await readFile(temporary);
  const made = parseElf(bytes).architecture;
  if (made !== architecture) throw new Error(`the executable for ${architecture} came out for ${made}`);
  // A rename, not a write: the old executable may be running.
  await rename(temporary, outputPath);
  return { sizeBytes: bytes.length };
}

function seaConfigOf(assets: ExecutableOptions['assets']) {
  return {
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: NODE_OPTIONS_INSIDE,
    execArgvExtension: 'none', // NODE_OPTIONS of the kubelet's environment must not reach a root process
    assets: { ...assets },
  };
}

async function injectWithPkg(options: ExecutableOptions, seaConfig: ReturnType<typeof seaConfigOf>): Promise<void> {
  const { nodePath, architecture, bootstrapPath, outputPath } = options;
  // Replaces the absolute path that pkg would write into the executable. pkg's working directory is a folder of a random
  // name below TMPDIR, so this one is the bootstrap's, and the same on every machine.
  const withMain = { ...seaConfig, main: `../${basename(bootstrapPath)}` };
  await inTemporaryFolder(dirname(bootstrapPath), () =>
    pkg.default(bootstrapPath, {
      targets: [{ nodeRange: 'node24', platform: 'linux', arch: architecture, output: outputPath }],
      nodePath,
      seaConfig: withMain,
    }),
  );
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

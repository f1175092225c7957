import { readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { thisArchitecture, type Architecture } from './architecture.ts';
import { parseElf } from './elf.ts';
import { injectIntoOtherNode } from './other-architecture.ts';

/**
 * The Node options of the executable. The last seven are flags of V8 (docs/decisions/0022-flags-of-v8.md). builtin-caches.ts makes the code
 * caches of Node's own modules valid for them.
 *
 * - `--no-use-system-ca`: otherwise, NODE_USE_SYSTEM_CA=1 makes node:tls, which only commands for people use, trust the machine's certificates.
 * - `--disable-sigusr1`: otherwise, this signal starts Node's debugger, which listens without a password on a port of the
 *   host's network namespace. src/main.ts ignores the signal.
 * - `--openssl-config=/dev/null`: otherwise, OPENSSL_CONF in the kubelet's environment names a file that can load any library
 *   into this process, and an invalid file ends the process before the program starts. So does a file in the folder with which
 *   OpenSSL was built. OPENSSL_MODULES and OPENSSL_ENGINES only matter to such a file.
 * - `--v8-pool-size=1`: one worker thread for V8 instead of four. Each takes time to start, and no command has work for them.
 * - `--no-rehash-snapshot`: V8 does not search for a random hash seed, nor rehash its snapshot with it.
 * - `--single-threaded` and `--no-sparkplug`: V8 does not compile functions a second time on another thread, for speed that a process
 *   of 40 ms never gains.
 * - `--invocation-count-for-…`: ten times the defaults. A function is optimized only if a command has very much work for it; the usual ADD ends
 *   before that pays.
 * - `--min-semi-space-size=4`: all objects of one command fit into V8's first 4 MB, so that nothing has to be collected.
 */
export const NODE_OPTIONS_INSIDE = [
  '--no-use-system-ca',
  '--disable-sigusr1',
  '--openssl-config=/dev/null',
  '--v8-pool-size=1',
  '--no-rehash-snapshot',
  '--single-threaded',
  '--no-sparkplug',
  '--invocation-count-for-maglev=4000',
  '--invocation-count-for-maglev-osr=2000',
  '--invocation-count-for-early-optimization=3000',
  '--min-semi-space-size=4',
] as const;

export interface ExecutableOptions {
  readonly nodePath: string;
  readonly architecture: Architecture;
  readonly bootstrapPath: string;
  /** The files to include, by their names inside the executable. */
  readonly assets: Readonly<Record<string, string>>;
  readonly outputPath: string;
  /** A Node of the same version that runs on this machine. */
  readonly generatorPath: string;
}

/**
 * Injects the bootstrap and the assets into a copy of Node.
 *
 * @throws {Error} if the result is for another architecture
 */
export async function makeExecutable(options: ExecutableOptions): Promise<{ sizeBytes: number }> {
  const { nodePath, architecture, bootstrapPath, outputPath, generatorPath } = options;
  const seaConfig = seaConfigOf(options.assets);
  const temporary = join(dirname(bootstrapPath), 'executable');
  if (architecture === thisArchitecture()) await injectWithPkg({ ...options, outputPath: temporary }, seaConfig);
  else await injectIntoOtherNode(generatorPath, { nodePath, bootstrapPath, outputPath: temporary }, seaConfig);
  const bytes = await readFile(temporary);
  const made = parseElf(bytes).architecture;
  if (made !== architecture) throw new Error(`expected an executable for ${architecture}, got one for ${made}`);
  // Renamed rather than written, because the old executable may be running.
  await rename(temporary, outputPath);
  return { sizeBytes: bytes.length };
}

function seaConfigOf(assets: ExecutableOptions['assets']) {
  return {
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    execArgv: NODE_OPTIONS_INSIDE,
    execArgvExtension: 'none', // NODE_OPTIONS in the kubelet's environment must not affect a root process
    assets: { ...assets },
  };
}

async function injectWithPkg(options: ExecutableOptions, seaConfig: ReturnType<typeof seaConfigOf>): Promise<void> {
  const { nodePath, architecture, bootstrapPath, outputPath } = options;
  // pkg would write the bootstrap's absolute path into the executable. Its working directory is a folder with a random
  // name below TMPDIR, so this relative path names the bootstrap and is the same on every machine.
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

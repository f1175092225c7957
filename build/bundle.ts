import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const REPOSITORY = join(import.meta.dirname, '..');

export interface Bundle {
  readonly sizeBytes: number;
  /** The files in the bundle, relative to the repository. */
  readonly inputs: readonly string[];
}

/**
 * The parts that only some commands need: their names, entries, and how the rest of the source imports them. Each is a
 * separate bundle, because every function in a file costs V8 time, whether it is called or not.
 */
export const PARTS_ON_DEMAND = {
  person: { entryPath: join(REPOSITORY, 'src/cli/cli.ts'), importedAs: './cli/cli.ts' },
  cri: { entryPath: join(REPOSITORY, 'src/cri/cri-client.ts'), importedAs: '../../cri/cri-client.ts' },
  kubernetes: {
    entryPath: '@kubernetes/client-node/dist/config.js',
    importedAs: '@kubernetes/client-node/dist/config.js',
  },
  telemetry: { entryPath: join(REPOSITORY, 'src/telemetry/telemetry.ts'), importedAs: './telemetry/telemetry.ts' },
  event: { entryPath: join(REPOSITORY, 'src/telemetry/refusal-event.ts'), importedAs: './telemetry/refusal-event.ts' },
  metrics: { entryPath: join(REPOSITORY, 'src/metrics/metrics.ts'), importedAs: '../metrics/metrics.ts' },
  yaml: { entryPath: 'yaml', importedAs: 'yaml' },
} as const;

/**
 * Bundles an entry and everything it imports into one CommonJS file, except the parts that are loaded on demand:
 * `import()` of such a part becomes `require('podwire:NAME')`. Names stay readable, because a stack trace in a node's
 * log is often all that a bug report contains. White space is removed, because every ADD loads each byte of the file.
 *
 * The file is an expression, `(function (require, module, exports) {…})`, which build/load-part.ts calls.
 *
 * @throws {Error} on warnings too: a warning about `import.meta` or a missing export becomes a crash on a node
 */
export async function bundle(options: { entryPath: string; outputPath: string }): Promise<Bundle> {
  const { metafile } = await build({
    ...SHARED,
    entryPoints: [options.entryPath],
    outfile: options.outputPath,
    banner: { js: '(function (require, module, exports) {' },
    footer: { js: '})' },
    plugins: [partsOnDemand, netlinkAddonFromExecutable, ipNumWithoutRangeTables],
    metafile: true,
  });
  return { sizeBytes: (await stat(options.outputPath)).size, inputs: inputsOf(metafile) };
}

/** Bundles a program that Node runs directly, such as the bootstrap, into one CommonJS file. */
export async function bundleProgram(options: { entryPath: string; outputPath: string }): Promise<void> {
  await build({ ...SHARED, entryPoints: [options.entryPath], outfile: options.outputPath });
}

const SHARED = {
  absWorkingDir: REPOSITORY,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  // V8's own `using` is smaller than esbuild's replacement. `import()` becomes require(), because vm.Script does not
  // support it.
  supported: { using: true, 'dynamic-import': false },
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160, // Node prints the whole line in which an uncaught error was thrown
  define: { __dirname: '""' }, // netlink passes it to node-gyp-build, which is replaced below
  // build/third-party-notices.ts collects the licenses. Comments would be parsed on every ADD.
  legalComments: 'none',
  charset: 'ascii',
  logLevel: 'silent',
} as const;

const partsOnDemand: Plugin = {
  name: 'parts-on-demand',
  setup(context) {
    const names = new Map<string, string>(
      Object.entries(PARTS_ON_DEMAND).map(([name, { importedAs }]) => [importedAs, name]),
    );
    context.onResolve({ filter: /./ }, ({ path, kind }) => {
      const name = kind === 'dynamic-import' ? names.get(path) : undefined;
      return name === undefined ? undefined : { path: `podwire:${name}`, external: true };
    });
  },
};

// netlink loads its addon with node-gyp-build, which looks for a file next to the package. The executable has no such
// file.
const netlinkAddonFromExecutable: Plugin = {
  name: 'netlink-addon-from-executable',
  setup(context) {
    const addon = createRequire(import.meta.url).resolve('./node-gyp-build.cjs');
    context.onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: addon }));
    context.onEnd(({ warnings }) => ({ errors: warnings }));
  },
};

// When ip-num is loaded, it builds tables of special ranges that podwire does not use. They take a tenth of the CPU
// time of an ADD.
const ipNumWithoutRangeTables: Plugin = {
  name: 'ip-num-without-range-tables',
  setup(context) {
    context.onLoad({ filter: /[\\/]ip-num[\\/]dist[\\/]src[\\/]IPNumber\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replaceAll(RANGE_TABLE, '');
      const count = source.match(RANGE_TABLE)?.length ?? 0;
      if (count !== RANGE_TABLE_COUNT) {
        throw new Error(`expected ${RANGE_TABLE_COUNT} range tables in ${path}, found ${count}: adapt build/bundle.ts`);
      }
      return { contents };
    });
  },
};

// `IPv4.LOOPBACK_RANGE = …fromCidr("127.0.0.0/8");`, or a list of such ranges.
const RANGE_TABLE = /^IPv[46]\.[A-Z_]+_RANGES? = (?:\[[^\]]*\]|[\w.]+\.fromCidr\("[^"]*"\));$/gm;
const RANGE_TABLE_COUNT = 12;

function inputsOf(metafile: Metafile): readonly string[] {
  return Object.keys(metafile.inputs)
    .map((path) => relative(REPOSITORY, join(REPOSITORY, path)))
    .toSorted();
}

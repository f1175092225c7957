import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const REPOSITORY = join(import.meta.dirname, '..');

export interface Bundle {
  readonly sizeBytes: number;
  /** What went in: paths relative to the repository. */
  readonly inputs: readonly string[];
}

/**
 * What only some commands need: the name of its file, and how the rest of the source imports it. Each is bundled on its own,
 * because V8 pays for every function that a file has, called or not.
 */
export const PARTS_ON_DEMAND = {
  person: { entryPath: join(REPOSITORY, 'src/cli.ts'), importedAs: './cli.ts' },
  yaml: { entryPath: 'yaml', importedAs: 'yaml' },
} as const;

/**
 * Makes one CommonJS file of an entry and everything it imports, but for the parts that are loaded on demand: `import()` of one
 * of these becomes `require('podwire:NAME')`, for build/load-part.ts. Names stay readable, because a stack trace in a node's
 * log is all that a bug report has; white space goes, because each byte loaded is a byte paid for on every ADD.
 *
 * The file is an expression, `(function (require, module, exports) {…})`, for build/load-part.ts to call.
 *
 * @throws on any warning too: one about `import.meta` or a missing export is a crash on a node
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

/** Makes one CommonJS file of a program that runs as it is: the bootstrap. */
export async function bundleProgram(options: { entryPath: string; outputPath: string }): Promise<void> {
  await build({ ...SHARED, entryPoints: [options.entryPath], outfile: options.outputPath });
}

const SHARED = {
  absWorkingDir: REPOSITORY,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  // `using` as V8 runs it is smaller than esbuild's lowering. `import()` becomes require(): vm.Script refuses the real one.
  supported: { using: true, 'dynamic-import': false },
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160, // Node prints the whole line in which an uncaught error was thrown
  define: { __dirname: '""' }, // netlink asks, to find its addon
  // build/third-party-notices.ts collects the licences; a comment would be parsed on every ADD.
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

// netlink asks node-gyp-build for its addon, which looks for a file beside the package: there is none beside us.
const netlinkAddonFromExecutable: Plugin = {
  name: 'netlink-addon-from-executable',
  setup(context) {
    const addon = createRequire(import.meta.url).resolve('./node-gyp-build.cjs');
    context.onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: addon }));
    context.onEnd(({ warnings }) => ({ errors: warnings }));
  },
};

// ip-num builds tables of special ranges when it is loaded, which nobody here reads: a tenth of the CPU of an ADD.
const ipNumWithoutRangeTables: Plugin = {
  name: 'ip-num-without-range-tables',
  setup(context) {
    context.onLoad({ filter: /[\\/]ip-num[\\/]dist[\\/]src[\\/]IPNumber\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replaceAll(RANGE_TABLE, '');
      if (source.match(RANGE_TABLE)?.length !== RANGE_TABLES)
        throw new Error(`${path} has other range tables than were known`);
      return { contents };
    });
  },
};

/** `IPv4.LOOPBACK_RANGE = …fromCidr("127.0.0.0/8");`, or a list of such. */
const RANGE_TABLE = /^IPv[46]\.[A-Z_]+_RANGES? = (?:\[[^\]]*\]|[\w.]+\.fromCidr\("[^"]*"\));$/gm;
const RANGE_TABLES = 12;

function inputsOf(metafile: Metafile): readonly string[] {
  return Object.keys(metafile.inputs)
    .map((path) => relative(REPOSITORY, join(REPOSITORY, path)))
    .toSorted();
}

// Builds the executable in these steps:
//
// 1. bundle: esbuild makes one file of src/, one of each part that is loaded on demand, and one of each program that is
//    named below (bundle.ts). third-party-notices.ts collects the licenses.
// 2. node: builtin-caches.ts adapts the code caches of Node's own modules, strip-elf.ts removes its symbols, hide-variables.ts renames some
//    variables that it reads.
// 3. code cache (code-cache.ts): rehearsal.ts runs the CNI commands by way of code-cache-recorder.ts, which writes V8's
//    caches. Then code-cache-finisher.ts makes them reproducible.
// 4. executable (executable.ts, other-architecture.ts): bootstrap.ts, the bundles, their caches and the native addons are
//    injected into Node.
//
// The asset `library-folder` is an empty slot (src/system/library-folder.ts): the executable uses the libraries of its machine until
// src/install/bind-executable.ts fills the slot, in the image and on the node.
//
// When the executable runs, bootstrap.ts starts the program with load-part.ts. image/image.ts makes an image of it.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { thisArchitecture, type Architecture } from './architecture.ts';
import { formatLibrarySlot } from '../src/system/library-folder.ts';
import { bundle, bundleProgram, PARTS_ON_DEMAND } from './bundle.ts';
import { makeCodeCache } from './code-cache.ts';
import { makeExecutable, NODE_OPTIONS_INSIDE } from './executable.ts';
import { adaptBuiltinCaches } from './builtin-caches.ts';
import { hideVariables } from './hide-variables.ts';
import { arm64Packages } from './other-architecture.ts';
import { stripElf } from './strip-elf.ts';
import { bundledPackages, packageVersion, thirdPartyNotices } from './third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const PACKAGES = join(REPOSITORY, 'node_modules');
/** A Node of the executable's version that runs on this machine. */
const GENERATOR = join(PACKAGES, `node-linux-${thisArchitecture()}/bin/node`);

export interface PodwireOptions {
  readonly architecture: Architecture;
  readonly entryPath: string;
  readonly outputPath: string;
  /** What to do if no ADD can be run for the code cache (build/code-cache.ts). */
  readonly ifUnrehearsed: 'fail' | 'make-cold-cache';
  /** Called after each step, with its result. */
  readonly onStep: (name: string, outcome: string, elapsedSeconds: number) => void;
}

export interface Podwire {
  readonly sizeBytes: number;
  /** The folders of the packages that the executable contains files of. */
  readonly packages: readonly string[];
  readonly thirdPartyNotices: string;
  /** The native addons in the executable: the names of their files when they are unpacked, and where they come from. */
  readonly addons: Readonly<Record<string, string>>;
}

/**
 * Makes the executable, and next to it a file with the licenses of everything in it.
 *
 * @throws {Error} if a step fails
 */
export async function buildPodwire(options: PodwireOptions): Promise<Podwire> {
  const folder = dirname(options.outputPath);
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, '.build-'));
  try {
    return await buildIn(work, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function buildIn(work: string, options: PodwireOptions): Promise<Podwire> {
  const { architecture, entryPath, outputPath } = options;
  const native = architecture === thisArchitecture() ? PACKAGES : await packagesFor(architecture);
  const nodePackage = join(native, `node-linux-${architecture}`);
  const koffiPackage = join(native, `@koromix/koffi-linux-${architecture}`);
  const inWork = (name: string) => join(work, name);
  const addons = {
    'netlink.node': join(PACKAGES, `netlink/prebuilds/linux-${architecture}/node.napi.node`),
    'koffi.node': join(koffiPackage, `linux_${architecture}/koffi.node`),
  };
  const assets = {
    ...Object.fromEntries(
      ['podwire', ...Object.keys(PARTS_ON_DEMAND)].map((name) => [`${name}.cjs`, inWork(`${name}.cjs`)]),
    ),
    ...addons,
    'third-party-notices.txt': inWork('third-party-notices.txt'),
    version: inWork('version'),
    'library-folder': inWork('library-folder'),
  };
  const step = stepsTo(options.onStep);
  const { packages, notices } = await step('bundle', async () => {
    const entries = Object.entries({ podwire: { entryPath }, ...PARTS_ON_DEMAND });
    const parts = entries.map(([name, part]) =>
      bundle({ entryPath: part.entryPath, outputPath: inWork(`${name}.cjs`) }),
    );
    const bundled = await Promise.all(parts);
    for (const program of ['bootstrap', 'code-cache-recorder', 'code-cache-finisher']) {
      await bundleProgram({
        entryPath: join(import.meta.dirname, `${program}.ts`),
        outputPath: inWork(`${program}.cjs`),
      });
    }
    const folders = [
      ...bundledPackages(
        REPOSITORY,
        bundled.flatMap(({ inputs }) => inputs),
      ),
      nodePackage,
      join(PACKAGES, 'koffi'),
    ];
    const text = await thirdPartyNotices(folders); // koffi's package also has the license of its addon
    await writeFile(assets['third-party-notices.txt'], text);
    await writeFile(assets.version, await packageVersion(REPOSITORY));
    await writeFile(assets['library-folder'], formatLibrarySlot(undefined, ''));
    return {
      outcome: bundled.map(({ sizeBytes }) => kilobytes(sizeBytes)).join(' + '),
      packages: [...folders, koffiPackage],
      notices: text,
    };
  });
  await step('node', async () => {
    const original = await readFile(join(nodePackage, 'bin/node'));
    const adapted = await adaptBuiltinCaches(original, GENERATOR, NODE_OPTIONS_INSIDE);
    const node = hideVariables(stripElf(adapted));
    await writeFile(inWork('node'), node, { mode: 0o755 });
    return { outcome: kilobytes(node.length) };
  });
  const cache =
    architecture === thisArchitecture()
      ? await step('code cache', () => makeCache(work, assets, options.ifUnrehearsed))
      : { assets: {} };
  const { sizeBytes } = await step('executable', async () => {
    const made = await makeExecutable({
      nodePath: inWork('node'),
      architecture,
      bootstrapPath: inWork('bootstrap.cjs'),
      assets: { ...assets, ...cache.assets },
      outputPath,
      generatorPath: GENERATOR,
    });
    await writeFile(`${outputPath}.third-party-notices.txt`, notices);
    return { outcome: `${kilobytes(made.sizeBytes)}, ${outputPath}`, ...made };
  });
  return { sizeBytes, packages, thirdPartyNotices: notices, addons };
}

async function packagesFor(architecture: Architecture): Promise<string> {
  if (architecture === 'arm64') return arm64Packages();
  throw new Error('the executable for x64 can only be built on an x64 machine');
}

async function makeCache(
  work: string,
  assets: Readonly<Record<string, string>>,
  ifUnrehearsed: PodwireOptions['ifUnrehearsed'],
): Promise<{ outcome: string; assets: Readonly<Record<string, string>> }> {
  const outputFolder = join(work, 'code-cache');
  await mkdir(outputFolder);
  const { assets: caches, coldReason } = await makeCodeCache({
    nodePath: join(work, 'node'),
    nodeOptions: NODE_OPTIONS_INSIDE,
    recorderPath: join(work, 'code-cache-recorder.cjs'),
    finisherPath: join(work, 'code-cache-finisher.cjs'),
    assets,
    outputFolder,
  });
  const sizes = await Promise.all(Object.values(caches).map(async (path) => kilobytes((await stat(path)).size)));
  const outcome = sizes.join(' + ');
  if (coldReason === undefined) return { outcome, assets: caches };
  if (ifUnrehearsed === 'fail') throw new Error(`the rehearsal for the code cache failed: ${coldReason}`);
  return { outcome: `${outcome}, COLD: ${coldReason}`, assets: caches };
}

function stepsTo(onStep: PodwireOptions['onStep']) {
  return async <Result extends { outcome: string }>(name: string, action: () => Promise<Result>): Promise<Result> => {
    const startedMs = performance.now();
    const result = await action();
    onStep(name, result.outcome, (performance.now() - startedMs) / 1000);
    return result;
  };
}

function kilobytes(sizeBytes: number): string {
  return `${Math.round(sizeBytes / 1000)} kB`;
}

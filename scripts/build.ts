// Builds dist/podwire for this machine's architecture, without a network:
//   node scripts/build.ts [--rehearsed] [--entry src/main.ts] [--output dist/podwire]
// --rehearsed: fail where no ADD can be rehearsed for the code cache, rather than make one that is slower.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, bundleProgram } from '../build/bundle.ts';
import { makeCodeCache } from '../build/code-cache.ts';
import { makeExecutable, NODE_OPTIONS_INSIDE, stripNode } from '../build/executable.ts';
import { packageVersion, thirdPartyNotices } from '../build/third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const inPackage = (path: string) => join(REPOSITORY, 'node_modules', path);

const { values: options } = parseArgs({
  options: {
    entry: { type: 'string', default: 'src/main.ts' },
    output: { type: 'string', default: 'dist/podwire' },
    rehearsed: { type: 'boolean', default: false },
  },
});
await buildPodwire(resolve(REPOSITORY, options.entry), resolve(REPOSITORY, options.output));

async function buildPodwire(entryPath: string, outputPath: string): Promise<void> {
  await mkdir(dirname(outputPath), { recursive: true });
  const work = await mkdtemp(join(dirname(outputPath), '.build-'));
  try {
    await buildIn(work, entryPath, outputPath);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function buildIn(work: string, entryPath: string, outputPath: string): Promise<void> {
  const arch = thisArchitecture();
  const [node, koffi] = [`node-linux-${arch}`, `@koromix/koffi-linux-${arch}`];
  const inWork = (name: string) => join(work, name);
  const assets: Record<string, string> = {
    'podwire.cjs': inWork('podwire.cjs'),
    'netlink.node': inPackage(`netlink/prebuilds/linux-${arch}/node.napi.node`),
    'koffi.node': inPackage(`${koffi}/linux_${arch}/koffi.node`),
    'third-party-notices.txt': inWork('third-party-notices.txt'),
    version: inWork('version'),
  };
  await step('bundle', async () => {
    const { inputs, sizeBytes } = await bundle({ entryPath, outputPath: inWork('podwire.cjs') });
    await bundleProgram({ entryPath: join(REPOSITORY, 'build/bootstrap.ts'), outputPath: inWork('bootstrap.cjs') });
    await bundleProgram({
      entryPath: join(REPOSITORY, 'build/code-cache-recorder.ts'),
      outputPath: inWork('recorder.cjs'),
    });
    await writeFile(inWork('third-party-notices.txt'), await thirdPartyNotices(REPOSITORY, inputs, [node, 'koffi']));
    await writeFile(inWork('version'), await packageVersion(REPOSITORY));
    return kilobytes(sizeBytes);
  });
  await step('node', () => stripNode(inPackage(`${node}/bin/node`), inWork('node')));
  await step('code cache', async () => {
    const { sizeBytes, coldBecause } = await makeCodeCache({
      nodePath: inWork('node'),
      nodeOptions: NODE_OPTIONS_INSIDE,
      recorderPath: inWork('recorder.cjs'),
      bundlePath: inWork('podwire.cjs'),
      assets,
      outputPath: inWork('podwire.cjs.cache'),
    });
    if (coldBecause !== undefined && options.rehearsed) throw new Error(`no rehearsal: ${coldBecause}`);
    return coldBecause === undefined ? kilobytes(sizeBytes) : `${kilobytes(sizeBytes)}, COLD: ${coldBecause}`;
  });
  await step('executable', async () => {
    const { sizeBytes } = await makeExecutable({
      nodePath: inWork('node'),
      arch,
      bootstrapPath: inWork('bootstrap.cjs'),
      assets: { ...assets, 'podwire.cjs.cache': inWork('podwire.cjs.cache') },
      outputPath,
    });
    await copyFile(inWork('third-party-notices.txt'), `${outputPath}.third-party-notices.txt`);
    return `${kilobytes(sizeBytes)}, ${outputPath}`;
  });
}

async function step(name: string, action: () => Promise<string>): Promise<void> {
  const startedMs = performance.now();
  const outcome = await action();
  process.stderr.write(`build: ${name}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${outcome}\n`);
}

function thisArchitecture(): 'x64' | 'arm64' {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) return process.arch;
  throw new Error(`podwire is for Linux on x64 and arm64, this is ${process.platform} on ${process.arch}`);
}

function kilobytes(sizeBytes: number): string {
  return `${Math.round(sizeBytes / 1000)} kB`;
}

// What every ADD and DEL loads. All of it takes time on every command, so an addition must be a decision, not an accident.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, bundleProgram, PARTS_ON_DEMAND } from '../../build/bundle.ts';
import { formatLibrarySlot } from '../../src/system/library-folder.ts';
import { packageVersion } from '../../build/third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const NODE = join(REPOSITORY, `node_modules/node-linux-${process.arch}/bin/node`);

let folder = '';
let inputs: readonly string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-start-up-'));
  const parts = Object.entries({ podwire: { entryPath: join(REPOSITORY, 'src/main.ts') }, ...PARTS_ON_DEMAND });
  for (const [name, { entryPath }] of parts) {
    const made = await bundle({ entryPath, outputPath: join(folder, `${name}.cjs`) });
    if (name === 'podwire') inputs = made.inputs;
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the program that ADD and DEL load', () => {
  it('has these files of packages, and no others', () => {
    expect(inputs.filter((path) => !path.startsWith('src/'))).toMatchSnapshot();
  });
  it('consists of these modules and no others', () => {
    expect(inputs.filter((path) => path.startsWith('src/'))).toMatchSnapshot();
  });
  it('is not larger than before', async () => {
    expect((await stat(join(folder, 'podwire.cjs'))).size).toBeLessThan(342_000);
  });
});

describe('a run', () => {
  let builtins: ReadonlyMap<string, readonly string[]>;
  let cacheBytes = new Map<string, number>();
  beforeAll(async () => {
    ({ builtins, cacheBytes } = await rehearse(folder));
  });

  it.each(['ADD', 'DEL'])('of %s loads these modules of Node beyond those that Node starts with', (verb) => {
    expect(builtins.get(verb)).toMatchSnapshot();
  });
  it('loads nothing but the program, and the YAML parser where there is YAML', () => {
    expect([...cacheBytes.keys()]).toEqual(['podwire.cjs.cache', 'yaml.cjs.cache']);
  });
  it('compiles no more code than before', () => {
    expect(cacheBytes.get('podwire.cjs.cache')).toBeLessThan(636_000);
  });
});

/** Runs the commands of the build's rehearsal. */
async function rehearse(work: string) {
  const programs = {
    recorder: join(REPOSITORY, 'build/code-cache-recorder.ts'),
    observer: join(import.meta.dirname, 'builtins-observer.ts'),
  };
  for (const [name, entryPath] of Object.entries(programs)) {
    await bundleProgram({ entryPath, outputPath: join(work, `${name}.cjs`) });
  }
  const caches = join(work, 'caches');
  const observed = join(work, 'observed');
  await Promise.all([mkdir(caches), mkdir(observed)]);
  const assets = {
    ...Object.fromEntries(
      ['podwire', ...Object.keys(PARTS_ON_DEMAND)].map((name) => [`${name}.cjs`, join(work, `${name}.cjs`)]),
    ),
    'netlink.node': join(REPOSITORY, `node_modules/netlink/prebuilds/linux-${process.arch}/node.napi.node`),
    'koffi.node': join(
      REPOSITORY,
      `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
    ),
    version: join(work, 'version'),
    'library-folder': join(work, 'library-folder'),
  };
  await writeFile(assets.version, await packageVersion(REPOSITORY));
  await writeFile(assets['library-folder'], formatLibrarySlot(undefined, ''));
  const command = [
    NODE,
    '--require',
    join(work, 'observer.cjs'),
    join(work, 'recorder.cjs'),
    caches,
    JSON.stringify(assets),
    '--',
  ];
  await promisify(execFile)(process.execPath, [join(REPOSITORY, 'build/rehearsal.ts'), ...command]);
  const cacheNames = (await readdir(caches)).toSorted();
  const verbs = await readdir(observed);
  const cacheBytes = new Map<string, number>();
  for (const name of cacheNames) cacheBytes.set(name, (await stat(join(caches, name))).size);
  const builtins = new Map<string, readonly string[]>();
  for (const verb of verbs) builtins.set(verb, (await readFile(join(observed, verb), 'utf8')).split('\n'));
  return { builtins, cacheBytes };
}

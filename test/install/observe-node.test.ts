import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFolder, observeFiles, observePrograms, readFileNames } from '../../src/install/observe-node.ts';
import { makeFolder } from './make-folder.ts';

describe('programs', () => {
  it('the executable counts as podwire whatever its name is, and the plugins beside it are included', async () => {
    using folder = makeFolder();
    const image = join(folder.path, 'image');
    const node = join(folder.path, 'node');
    for (const path of [image, node]) mkdirSync(path);
    for (const name of ['install-cni', 'portmap', 'ptp']) writeFileSync(join(image, name), name, { mode: 0o755 });
    writeFileSync(join(node, 'podwire'), 'install-cni', { mode: 0o755 });
    const facts = await observePrograms(join(image, 'install-cni'), node);
    expect(facts).toMatchObject([
      { name: 'podwire', sourcePath: join(image, 'install-cni') },
      { name: 'portmap', nodeDigest: undefined },
    ]);
    expect(facts[0]?.nodeDigest).toBe(facts[0]?.sourceDigest);
  });

  it('a program without an execute bit differs from one with the same bytes', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'podwire'), 'a', { mode: 0o755 });
    const observe = async () => (await observePrograms(join(folder.path, 'podwire'), folder.path))[0]?.nodeDigest;
    const before = await observe();
    chmodSync(join(folder.path, 'podwire'), 0o644);
    expect(await observe()).not.toBe(before);
  });
});

describe('files', () => {
  it('that exist are read, with text and mode', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'a'), 'text', { mode: 0o600 });
    mkdirSync(join(folder.path, 'b'));
    expect(await observeFiles(folder.path, ['a', 'b', 'c'])).toEqual(new Map([['a', { text: 'text', mode: 0o600 }]]));
  });

  it('names are read from a folder that must exist', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'a'), '');
    expect(await readFileNames(folder.path)).toEqual(new Set(['a']));
    await expect(readFileNames(join(folder.path, 'none'))).rejects.toThrow(/cannot read the folder .*ENOENT/);
  });

  it('a folder is distinguished from a file', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'a'), '');
    expect([await isFolder(folder.path), await isFolder(join(folder.path, 'a')), await isFolder('/nowhere')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

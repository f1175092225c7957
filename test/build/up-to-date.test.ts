import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isUpToDate } from '../../build/up-to-date.ts';

let folder = '';
const path = (name: string) => join(folder, name);
const age = (name: string, seconds: number) => utimes(path(name), seconds, seconds);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-up-to-date-'));
  await mkdir(path('src/below'), { recursive: true });
  for (const name of ['src/below/main.ts', 'build.ts', 'output']) await writeFile(path(name), '');
  for (const name of ['src/below/main.ts', 'src/below', 'src', 'build.ts']) await age(name, 1000);
  await age('output', 1001);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const isFresh = () => isUpToDate(path('output'), [path('src'), path('build.ts')]);

describe('a built file is up to date', () => {
  it('if it is newer than every source', async () => {
    expect(await isFresh()).toBe(true);
  });
});

describe('a built file is stale', () => {
  const isStale = (why: string, change: () => Promise<void>) =>
    it(why, async () => {
      await change();
      expect(await isFresh()).toBe(false);
    });

  isStale('if it is missing', () => rm(path('output')));
  isStale('if a source file is newer', () => age('build.ts', 1002));
  isStale('if a file deep in a source folder is newer', () => age('src/below/main.ts', 1002));
  isStale('if a source has the same age', () => age('build.ts', 1001));
  isStale('if a file was removed from a source folder', () => rm(path('src/below/main.ts')));
});

it('a source that does not exist is an error, because the list of sources is wrong then', async () => {
  await expect(isUpToDate(path('output'), [path('missing')])).rejects.toThrow('ENOENT');
});

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundledPackages, thirdPartyNotices } from '../../build/third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const inPackages = (name: string) => join(REPOSITORY, 'node_modules', name);

it('a package with one file in the bundle is listed with its version and its license', async () => {
  const notices = await thirdPartyNotices(
    bundledPackages(REPOSITORY, ['src/main.ts', 'node_modules/yaml/dist/index.js']),
  );
  expect(notices).toMatch(/^yaml \d+\.\d+\.\d+ \(ISC\)\n/);
  expect(notices).toContain('Permission to use, copy, modify');
});

it('a package that is in the executable without being bundled is listed too', async () => {
  expect(await thirdPartyNotices([inPackages('koffi')])).toMatch(/^koffi \d/);
});

it('a package of a scope is listed once, whichever of its files are bundled', () => {
  expect(bundledPackages('/r', ['node_modules/@a/b/x.js', 'node_modules/@a/b/y/z.js', 'build/x.ts'])).toEqual([
    '/r/node_modules/@a/b',
  ]);
});

it('a package without a license text fails the build', async () => {
  await expect(thirdPartyNotices([inPackages('@koromix/koffi-linux-x64')])).rejects.toThrow('no license text');
});

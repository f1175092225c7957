import { join } from 'node:path';
import { expect, it } from 'vitest';
import { thirdPartyNotices } from '../../build/third-party-notices.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

it('a package of which one file is bundled is named with its version and its licence', async () => {
  const notices = await thirdPartyNotices(REPOSITORY, ['src/main.ts', 'node_modules/yaml/dist/index.js'], []);
  expect(notices).toMatch(/^yaml \d+\.\d+\.\d+ \(ISC\)\n/);
  expect(notices).toContain('Permission to use, copy, modify');
});

it('a package that is in the executable without being bundled is named too', async () => {
  expect(await thirdPartyNotices(REPOSITORY, [], ['koffi'])).toMatch(/^koffi \d/);
});

it('a package without a licence text fails the build', async () => {
  await expect(thirdPartyNotices(REPOSITORY, [], ['@koromix/koffi-linux-x64'])).rejects.toThrow('no licence text');
});

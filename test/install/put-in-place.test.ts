import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { InstallError } from '../../src/install/install-error.ts';
import { putInPlace, putVerified } from '../../src/install/put-in-place.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

const libc = openLibcLoader();

it('a file is written with its mode, and nothing is left beside it', () => {
  using folder = makeFolder();
  const path = join(folder.path, 'a');
  putInPlace({ path, content: 'text', mode: 0o640 }, libc);
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, readdirSync(folder.path)]).toEqual([
    'text',
    0o640,
    ['a'],
  ]);
});

it('a file that is rejected does not replace the previous one', async () => {
  using folder = makeFolder();
  const path = join(folder.path, 'a');
  writeFileSync(path, 'previous');
  const reject = async (temporary: string) => {
    throw new InstallError(readFileSync(temporary, 'utf8'));
  };
  await expect(putVerified({ path, content: 'new', mode: 0o600 }, libc, reject)).rejects.toThrow('new');
  expect([readFileSync(path, 'utf8'), readdirSync(folder.path)]).toEqual(['previous', ['a']]);
  await putVerified({ path, content: 'new', mode: 0o600 }, libc, async () => undefined);
  expect(readFileSync(path, 'utf8')).toBe('new');
});

it('a folder that is missing is an error with a remedy', () => {
  expect(() => putInPlace({ path: '/nowhere/a', content: '', mode: 0o600 }, libc)).toThrow(
    /ENOENT\): its folder is missing/,
  );
});

import { appendFileSync, chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { digestOfFile } from '../../src/install/file-digest.ts';
import { writeProgramWithSlot } from './program-with-slot.ts';
import { makeFolder } from './make-folder.ts';

it('depends on the bytes and on the execute bit', async () => {
  using folder = makeFolder();
  const [one = '', other = ''] = ['a', 'b'].map((name) => join(folder.path, name));
  writeFileSync(one, 'text', { mode: 0o755 });
  copyFileSync(one, other);
  expect(await digestOfFile(other)).toBe(await digestOfFile(one));
  chmodSync(other, 0o644);
  expect(await digestOfFile(other)).not.toBe(await digestOfFile(one));
  chmodSync(other, 0o755);
  appendFileSync(other, '.');
  expect(await digestOfFile(other)).not.toBe(await digestOfFile(one));
});

it('a folder and a missing file have none', async () => {
  using folder = makeFolder();
  mkdirSync(join(folder.path, 'a'));
  expect([await digestOfFile(join(folder.path, 'a')), await digestOfFile('/nowhere')]).toEqual([undefined, undefined]);
});

it('an executable has the same one whatever folder it is bound to, and another one has another', async () => {
  using folder = makeFolder();
  const [unbound = '', bound = '', other = ''] = ['a', 'b', 'c'].map((name) => join(folder.path, name));
  for (const path of [unbound, bound]) writeProgramWithSlot(path);
  writeProgramWithSlot(other, { code: 'another' });
  await bindExecutable(bound, '/var/lib/podwire/native/1');
  expect(await digestOfFile(bound)).toBe(await digestOfFile(unbound));
  expect(await digestOfFile(other)).not.toBe(await digestOfFile(unbound));
});

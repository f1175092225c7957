import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownLibraries } from '../../build/own-libraries.ts';

const ADDON = join(import.meta.dirname, '../../node_modules/netlink/prebuilds/linux-x64/node.napi.node');

function makeRoot() {
  const path = mkdtempSync(join(tmpdir(), 'podwire-libraries-'));
  mkdirSync(join(path, 'lib/x86_64-linux-gnu'), { recursive: true });
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

it('a library that the packages do not have is an error that names it', async () => {
  using root = makeRoot();
  await expect(ownLibraries([readFileSync(ADDON)], root.path)).rejects.toThrow(
    /none of the packages has the library lib/,
  );
});

it('libraries that need each other are found once, in the order of their names', async () => {
  using root = makeRoot();
  // The addon stands for each of them, because it needs them all.
  for (const name of ['libc.so.6', 'libm.so.6', 'libstdc++.so.6', 'libgcc_s.so.1', 'libpthread.so.0', 'libdl.so.2']) {
    writeFileSync(join(root.path, 'lib/x86_64-linux-gnu', name), readFileSync(ADDON));
  }
  const names = [...(await ownLibraries([readFileSync(ADDON)], root.path)).keys()];
  expect(names).toEqual(names.toSorted());
  expect(names).toEqual(expect.arrayContaining(['libc.so.6', 'libstdc++.so.6']));
});

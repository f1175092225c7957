import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseElf } from '../../build/elf.ts';
import { bindExecutable, readBinding } from '../../src/install/bind-executable.ts';
import { LIBRARY_SLOT } from '../../src/system/library-folder.ts';
import { writeProgramWithSlot, type ProgramOverrides } from './program-with-slot.ts';
import { makeFolder } from './make-folder.ts';

const FOLDER = '/var/lib/podwire/native/1-ab';

function makeProgram(overrides?: Partial<ProgramOverrides>) {
  const folder = makeFolder();
  const path = join(folder.path, 'podwire');
  writeProgramWithSlot(path, overrides);
  return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe('an executable that is bound to a folder', () => {
  it('has its loader there, and says where that is', async () => {
    using program = makeProgram();
    expect(await readBinding(program.path)).toBeUndefined();
    const { size } = statSync(program.path);
    await bindExecutable(program.path, FOLDER);
    expect(await readBinding(program.path)).toBe(FOLDER);
    expect(parseElf(readFileSync(program.path)).interpreter).toBe(`${FOLDER}/ld-linux-x86-64.so.2`);
    expect(statSync(program.path).size).toBe(size);
  });

  it('can be bound to another', async () => {
    using program = makeProgram();
    for (const folder of [FOLDER, '/opt/a', FOLDER]) {
      await bindExecutable(program.path, folder);
      expect(await readBinding(program.path)).toBe(folder);
      expect(parseElf(readFileSync(program.path)).interpreter).toBe(`${folder}/ld-linux-x86-64.so.2`);
    }
  });

  it('has the folder as DT_RPATH, relative to the table of strings, and searches no default folder', async () => {
    using program = makeProgram();
    await bindExecutable(program.path, FOLDER);
    const file = readFileSync(program.path);
    const entry = (index: number) => [file.readBigUInt64LE(1024 + index * 16), file.readBigUInt64LE(1032 + index * 16)];
    const slotAddress = 0x400000n + BigInt(file.indexOf(LIBRARY_SLOT.magic));
    expect(entry(1)).toEqual([0x6ffffffbn, 0x801n]); // NOW, NODEFLIB
    expect(entry(2)).toEqual([15n, slotAddress + BigInt(LIBRARY_SLOT.folderAt) - 0x400700n]);
    expect(entry(3)).toEqual([0n, 0n]);
  });
});

it('an executable whose dynamic section has no empty entry is not changed', async () => {
  using program = makeProgram({ emptyEntries: 1 });
  const before = readFileSync(program.path);
  await expect(bindExecutable(program.path, FOLDER)).rejects.toThrow('has no room');
  expect(readFileSync(program.path).equals(before)).toBe(true);
});

describe('is bound to no folder', () => {
  const isUnbound = (why: string, content: string) =>
    it(why, async () => {
      using folder = makeFolder();
      const path = join(folder.path, 'program');
      writeFileSync(path, content);
      expect(await readBinding(path)).toBeUndefined();
      await expect(bindExecutable(path, FOLDER)).rejects.toThrow('is not an executable that can be bound');
    });
  isUnbound('a script', '#!/bin/sh\n');
  isUnbound('an empty file', '');
  isUnbound('an ELF file that is cut off', '\x7fELF');
  it('an executable without a slot', async () => {
    using program = makeProgram({ slot: Buffer.alloc(64) });
    expect(await readBinding(program.path)).toBeUndefined();
  });
  it('a missing file', async () => expect(await readBinding('/nowhere')).toBeUndefined());
});

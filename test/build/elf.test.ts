import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isElf, parseElf } from '../../build/elf.ts';

const PREBUILT = join(import.meta.dirname, '../../node_modules/netlink/prebuilds');
const addon = (folder: string) => readFileSync(join(PREBUILT, folder, 'node.napi.node'));

describe('an ELF file is parsed:', () => {
  const parses = (folder: string, expected: object) =>
    it(folder, () => expect(parseElf(addon(folder))).toMatchObject(expected));

  parses('linux-x64', { architecture: 'x64', interpreter: undefined });
  parses('linux-arm64', { architecture: 'arm64', interpreter: undefined });
  parses('linux-arm64', { needed: expect.arrayContaining(['libc.so.6', 'libstdc++.so.6']) });
});

it('a program names its loader and its libraries', () => {
  const { interpreter, needed } = parseElf(readFileSync(process.execPath));
  expect(interpreter).toMatch(/^\/lib.*\/ld-linux-/);
  expect(needed).toContain('libc.so.6');
});

describe('is rejected:', () => {
  const rejects = (why: string, bytes: Buffer, message: string) =>
    it(why, () => expect(() => parseElf(bytes)).toThrow(message));

  rejects('a script', Buffer.from('#!/bin/sh\n'), 'not a 64-bit little-endian ELF file');
  rejects('nothing', Buffer.alloc(0), 'not a 64-bit');
  rejects('one of 32 bits', addon('linux-ia32'), 'not a 64-bit');
  rejects('one for another machine', withMachine(addon('linux-x64'), 243), 'machine 243');
});

it('a script is not an ELF file', () => {
  expect(isElf(Buffer.from('#!/bin/sh\n'))).toBe(false);
  expect(isElf(addon('linux-x64'))).toBe(true);
});

function withMachine(bytes: Buffer, machine: number): Buffer {
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

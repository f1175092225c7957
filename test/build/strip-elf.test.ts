import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { thisArchitecture } from '../../build/architecture.ts';
import { parseElf } from '../../build/elf.ts';
import { stripElf } from '../../build/strip-elf.ts';

const NODE = join(import.meta.dirname, `../../node_modules/node-linux-${thisArchitecture()}/bin/node`);
let folder = '';
let whole: Buffer;
let stripped: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-strip-'));
  whole = await readFile(NODE);
  stripped = stripElf(whole);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('Node without symbols is 15 MB smaller and needs the same libraries', () => {
  expect(whole.length - stripped.length).toBeGreaterThan(15e6);
  expect(parseElf(stripped)).toEqual(parseElf(whole));
});

it('a stripped Node runs, and still exports the symbols that addons need', async () => {
  const path = join(folder, 'node');
  await writeFile(path, stripped, { mode: 0o755 });
  const addon = join(
    import.meta.dirname,
    `../../node_modules/netlink/prebuilds/linux-${thisArchitecture()}/node.napi.node`,
  );
  const { stdout } = await promisify(execFile)(path, ['-p', `typeof require(${JSON.stringify(addon)})`]);
  expect(stdout).toBe('object\n');
});

it('stripping a second time changes nothing', () => {
  expect(stripElf(stripped).equals(stripped)).toBe(true);
});

it('a file with debugging data before a part that is loaded is rejected', () => {
  const mixed = Buffer.from(stripped);
  const table = Number(mixed.readBigUInt64LE(40));
  mixed.writeBigUInt64LE(0n, table + 64 + 8); // the flags of the first section: no longer loaded
  expect(() => stripElf(mixed)).toThrow('before a part that is loaded');
});

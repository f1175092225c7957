import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseElf } from '../../build/elf.ts';
import { readMachineLibraries } from '../../src/install/machine-libraries.ts';

const { interpreter = '', needed } = parseElf(readFileSync(process.execPath));

it('each library that this Node needs is found, or none, where the loader is of an unknown kind', () => {
  const files = readMachineLibraries(interpreter);
  if (files === undefined) {
    expect(existsSync('/etc/debian_version')).toBe(false);
    return;
  }
  expect([...files.keys()].toSorted()).toEqual([...needed].toSorted());
  for (const content of files.values()) {
    const isCopy = typeof content === 'object' && 'copyOf' in content;
    const bytes = isCopy ? readFileSync(content.copyOf) : Buffer.from(content);
    expect(parseElf(bytes).architecture).toBe(process.arch);
  }
});

it('a loader that is missing, or another file, has no libraries', () => {
  expect(readMachineLibraries('/nowhere')).toBeUndefined();
  expect(readMachineLibraries('/proc/self/exe')).toBeUndefined();
});

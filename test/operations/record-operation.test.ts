import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recordOperation } from '../../src/operations/record-operation.ts';
import { makeFolder } from '../log/make-folder.ts';

it('each command is a line', () => {
  using folder = makeFolder();
  const path = join(folder.path, 'operations.log');
  recordOperation({ command: 'ADD', code: 0, durationMs: 46.1234 }, path);
  recordOperation({ command: 'DEL', code: 11, durationMs: 7 }, path);
  expect(readFileSync(path, 'utf8')).toBe('ADD 0 46.123\nDEL 11 7.000\n');
});

it('what cannot be recorded is left out without an error', () => {
  using folder = makeFolder();
  const path = join(folder.path, 'operations.log');
  symlinkSync('/none', path);
  expect(() => recordOperation({ command: 'ADD', code: 0, durationMs: 1 }, path)).not.toThrow();
  expect(readdirSync(folder.path)).toEqual(['operations.log']);
});

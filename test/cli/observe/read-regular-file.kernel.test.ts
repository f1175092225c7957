import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { observeConfigs } from '../../../src/cli/observe/observe-configs.ts';
import { observeFailures } from '../../../src/cli/observe/observe-failures.ts';
import { readRegularFile } from '../../../src/cli/observe/read-regular-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync('/run/podwire-regular-');
  execFileSync('mkfifo', [join(folder, '07-fifo.conf')]);
  writeFileSync(join(folder, '06-file.conf'), '{}');
  symlinkSync('06-file.conf', join(folder, '08-link.conf'));
  writeFileSync(join(folder, '05-large.conf'), '');
  truncateSync(join(folder, '05-large.conf'), 17 * 1024 * 1024);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('reads a file, also by a link', () => {
  expect(Buffer.from(readRegularFile(join(folder, '06-file.conf'))).toString()).toBe('{}');
  expect(Buffer.from(readRegularFile(join(folder, '08-link.conf'))).toString()).toBe('{}');
});
it.each([
  ['07-fifo.conf', 'is not a regular file'],
  ['.', 'is not a regular file'],
  ['05-large.conf', 'is larger than'],
  ['none', 'ENOENT'],
])('%s: %s', (name, message) => expect(() => readRegularFile(join(folder, name))).toThrow(message));

it('a folder of configurations with such files is read to its end', () =>
  expect(observeConfigs(folder, {})).toMatchObject({
    files: {
      value: [
        { name: '05-large.conf', problem: expect.stringContaining('larger') },
        { name: '06-file.conf', problem: undefined },
        { name: '07-fifo.conf', problem: expect.stringContaining('not a regular file') },
        { name: '08-link.conf', problem: undefined },
      ],
    },
  }));

it('a FIFO in the place of the log has no lines', () =>
  expect(observeFailures(join(folder, '07-fifo.conf'))).toEqual({ kind: 'seen', value: [] }));

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recordFolder } from '../../src/journal/record-folder.ts';
import { makeFolder } from '../install/make-folder.ts';

const RECORD = 'c1@eth0.record.json';

it('is below networks, and is not created before it is needed', () => {
  using folder = makeFolder();
  expect(recordFolder(folder.path, 'net')).toBe(join(folder.path, 'networks/net'));
  expect(readdirSync(folder.path)).toEqual([]);
});

it('records of the old place are moved, and the old folder is removed', () => {
  using folder = makeFolder();
  mkdirSync(join(folder.path, 'net'));
  for (const name of [RECORD, 'c2@eth0.endpoint.json', 'swept-boot'])
    writeFileSync(join(folder.path, 'net', name), name);
  const moved = recordFolder(folder.path, 'net');
  expect(readdirSync(moved).toSorted()).toEqual([RECORD, 'c2@eth0.endpoint.json', 'swept-boot']);
  expect(existsSync(join(folder.path, 'net'))).toBe(false);
  expect(recordFolder(folder.path, 'net')).toBe(moved);
});

it.each(['native', 'networks'])(
  'of the old folder %s, which contains other things, only records are moved',
  (network) => {
    using folder = makeFolder();
    mkdirSync(join(folder.path, network, '0.1.0'), { recursive: true });
    writeFileSync(join(folder.path, network, RECORD), 'old');
    expect(readFileSync(join(recordFolder(folder.path, network), RECORD), 'utf8')).toBe('old');
    expect(existsSync(join(folder.path, network, '0.1.0'))).toBe(true);
  },
);

it('records that cannot be moved are found where they are', () => {
  using folder = makeFolder();
  mkdirSync(join(folder.path, 'net'));
  writeFileSync(join(folder.path, 'net', RECORD), '');
  writeFileSync(join(folder.path, 'networks'), ''); // no folder can be created there
  expect(recordFolder(folder.path, 'net')).toBe(join(folder.path, 'net'));
});

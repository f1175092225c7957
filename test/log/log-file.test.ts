import { linkSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLogFile } from '../../src/log/log-file.ts';
import { makeFolder } from './make-folder.ts';

const NOW = new Date('2026-11-22T05:45:59.123Z');
const LIMITS = { maxSizeMb: 1, maxAgeDays: 30, maxCount: 2 };

describe('a log file', () => {
  it('that would exceed its size is renamed as Calico does, and a new one is created', () => {
    using folder = makeFolder();
    const filePath = join(folder.path, 'cni.log');
    writeFileSync(filePath, 'x'.repeat(1024 * 1024));
    using file = openLogFile({ filePath, ...LIMITS });
    file.append('next\n', NOW);
    expect(readdirSync(folder.path).toSorted()).toEqual(['cni-2026-11-22T05-45-59.123.log', 'cni.log']);
    expect(readFileSync(filePath, 'utf8')).toBe('next\n');
  });
  it('that is one too many or too old is deleted after it was renamed, and nothing else is', () => {
    using folder = makeFolder();
    const filePath = join(folder.path, 'cni.log');
    const names = [
      'cni-2026-01-01T00-00-00.000.log',
      'cni-2026-11-20T00-00-00.000.log',
      'cni-2026-11-21T00-00-00.000.log',
      'cni-mine.log',
      'other-2026-01-01T00-00-00.000.log',
    ];
    for (const name of names) writeFileSync(join(folder.path, name), '');
    writeFileSync(filePath, 'x'.repeat(1024 * 1024));
    using file = openLogFile({ filePath, ...LIMITS });
    file.append('next\n', NOW);
    expect(readdirSync(folder.path).toSorted()).toEqual([
      'cni-2026-11-21T00-00-00.000.log',
      'cni-2026-11-22T05-45-59.123.log',
      'cni-mine.log',
      'cni.log',
      'other-2026-01-01T00-00-00.000.log',
    ]);
  });
  it('of two renamed ones the newer one is kept', () => {
    using folder = makeFolder();
    const filePath = join(folder.path, 'cni.log');
    writeFileSync(join(folder.path, 'cni-2026-01-01T00-00-00.000.log'), '');
    writeFileSync(filePath, 'x'.repeat(1024 * 1024));
    using file = openLogFile({ filePath, ...LIMITS });
    file.append('next\n', NOW);
    expect(readdirSync(folder.path)).toHaveLength(2);
  });
  it('that another process has already renamed is not renamed again', () => {
    using folder = makeFolder();
    const filePath = join(folder.path, 'cni.log');
    writeFileSync(filePath, 'x'.repeat(1024 * 1024));
    using slow = openLogFile({ filePath, ...LIMITS });
    using quick = openLogFile({ filePath, ...LIMITS });
    quick.append('a\n', NOW);
    slow.append('b\n', new Date(NOW.getTime() + 1));
    expect(readFileSync(filePath, 'utf8')).toBe('a\nb\n');
    expect(readdirSync(folder.path)).toHaveLength(2);
  });
  it('below /proc, where no folder can be created, is an error', () => {
    const settings = { filePath: '/proc/podwire/logs/log', maxSizeMb: 1, maxAgeDays: 1, maxCount: 1 };
    expect(() => openLogFile(settings)).toThrow(/ENOENT/);
  });

  it('with a second name is an error, because it may be a link to another file', () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'victim'), '');
    linkSync(join(folder.path, 'victim'), join(folder.path, 'cni.log'));
    expect(() => openLogFile({ filePath: join(folder.path, 'cni.log'), ...LIMITS })).toThrow('several names');
  });
});

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../src/log/log.ts';
import type { LogSettings } from '../../src/netconf/network-config.ts';
import { makeFolder } from './make-folder.ts';

const NOW = new Date('2026-11-22T05:45:59.123Z');

function openTestLog(special: Partial<LogSettings> = {}, writeLine?: (line: string) => void) {
  const lines: string[] = [];
  const settings: LogSettings = {
    level: 'info',
    format: 'text',
    filePath: undefined,
    maxSizeMb: 1,
    maxAgeDays: 30,
    maxCount: 2,
    ...special,
  };
  const log = openLog({
    settings,
    context: { container: '0a1b', pod: 'default/web' },
    writeLine: writeLine ?? ((line) => lines.push(line)),
    now: () => NOW,
  });
  return { log, lines };
}

describe('a log', () => {
  it('writes time, level, message and context', () => {
    const { log, lines } = openTestLog();
    log.warning('it rains');
    expect(lines).toEqual(['2026-11-22T05:45:59.123Z WARNING it rains container=0a1b pod=default/web\n']);
  });
  it('leaves out messages below its level', () => {
    const { log, lines } = openTestLog({ level: 'warning' });
    log.debug('a');
    log.info('b');
    log.warning('c');
    log.error('d');
    expect(lines).toHaveLength(2);
  });
  it('also writes to its file, 0600 in a folder of 0700', () => {
    using folder = makeFolder();
    const filePath = join(folder.path, 'log', 'podwire.log');
    const { log, lines } = openTestLog({ filePath });
    log.info('a');
    log.info('b');
    expect(readFileSync(filePath, 'utf8')).toBe(lines.join(''));
    expect(statSync(filePath).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'log')).mode & 0o777).toBe(0o700);
    log[Symbol.dispose]();
  });
  it('creates no file before the first message', () => {
    using folder = makeFolder();
    const { log } = openTestLog({ filePath: join(folder.path, 'a.log') });
    log.debug('nothing');
    expect(readdirSync(folder.path)).toEqual([]);
  });

  const survives = (why: string, make: (path: string) => void, reason: RegExp) =>
    it(`that cannot be written (${why}) warns once and continues`, () => {
      using folder = makeFolder();
      const filePath = join(folder.path, 'a.log');
      make(filePath);
      const { log, lines } = openTestLog({ filePath });
      log.info('a');
      log.info('b');
      expect(lines).toHaveLength(3);
      expect(lines[1]).toMatch(reason);
      expect(lines[1]).toMatch(/ WARNING cannot write the log file .*a\.log: /);
    });
  survives('a link', (path) => symlinkSync('/dev/null', path), /ELOOP/);
  survives('a folder', (path) => mkdirSync(path), /EISDIR/);
  survives(
    'below a file',
    (path) => {
      rmSync(join(path, '..'), { recursive: true });
      writeFileSync(join(path, '..'), '');
    },
    /EEXIST|ENOTDIR/,
  );

  it('continues when standard error is closed', () => {
    const { log } = openTestLog({}, () => {
      throw new Error('EPIPE');
    });
    expect(() => log.error('a')).not.toThrow();
  });
});

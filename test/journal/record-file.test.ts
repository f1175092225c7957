import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRecordText, removeRecordFile, replaceRecordFile } from '../../src/journal/record-file.ts';
import { makeFolder } from '../log/make-folder.ts';

function aPath(): string {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  return join(folder.path, 'record');
}

describe('readRecordText', () => {
  const reads = (what: string, make: (path: string) => void, expected: string | undefined) =>
    it(what, () => {
      const path = aPath();
      make(path);
      expect(readRecordText(path)).toBe(expected);
    });
  reads('reads a file', (path) => writeFileSync(path, 'text'), 'text');
  reads('finds nothing', () => undefined, undefined);
  reads('finds a damaged record: a folder', (path) => mkdirSync(path), '');
  reads('finds a damaged record: a link', (path) => symlinkSync('/etc/hostname', path), '');
  reads('finds a damaged record: too large', (path) => writeFileSync(path, Buffer.alloc(2 ** 20 + 1, 'a')), '');
});

describe('replaceRecordFile and removeRecordFile', () => {
  it('replace and remove a folder', () => {
    const path = aPath();
    mkdirSync(join(path, 'inner'), { recursive: true });
    replaceRecordFile(path, 'text');
    expect(readRecordText(path)).toBe('text');
    removeRecordFile(path);
    expect(readRecordText(path)).toBeUndefined();
  });

  it('do not follow a link', () => {
    const path = aPath();
    writeFileSync(`${path}.target`, 'kept');
    chmodSync(`${path}.target`, 0o600);
    symlinkSync(`${path}.target`, path);
    replaceRecordFile(path, 'text');
    expect([readRecordText(path), readRecordText(`${path}.target`)]).toEqual(['text', 'kept']);
  });
});

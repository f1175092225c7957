import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFile, readNames, readText, removeFile, replaceFile } from '../../src/system/files.ts';
import { makeFolder } from '../log/make-folder.ts';

describe('a file that is created', () => {
  it('is its maker’s alone, in folders that are made with it', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'below', 'further', 'file');
    expect(createFile(path, 'text')).toBe('created');
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'below')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  it.each(['/proc/none/file', '/dev/null/below/file'])('is refused where no folder can be made: %s', (path) => {
    expect(() => createFile(path, 'text')).toThrow(/ENOENT|ENOTDIR/);
  });

  it('is left as it is, if it is there', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    createFile(path, 'first');
    expect(createFile(path, 'second')).toBe('exists');
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  it('is not written through somebody’s link', () => {
    using folder = makeFolder();
    const [path, target] = [join(folder.path, 'file'), join(folder.path, 'target')];
    symlinkSync(target, path);
    expect(createFile(path, 'text')).toBe('exists');
    expect(existsSync(target)).toBe(false);
  });
});

describe('a file that is replaced', () => {
  it('is another file: who reads the old one reads all of it', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    replaceFile(path, 'first');
    const { ino } = statSync(path);
    replaceFile(path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(statSync(path).ino).not.toBe(ino);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  it('takes the place of somebody’s link, whose target stays', () => {
    using folder = makeFolder();
    const [path, target] = [join(folder.path, 'file'), join(folder.path, 'target')];
    writeFileSync(target, 'theirs');
    symlinkSync(target, path);
    replaceFile(path, 'ours');
    expect([readFileSync(path, 'utf8'), readFileSync(target, 'utf8')]).toEqual(['ours', 'theirs']);
  });

  it('leaves no trace, if something else is in its place', () => {
    using folder = makeFolder();
    mkdirSync(join(folder.path, 'file'));
    expect(() => replaceFile(join(folder.path, 'file'), 'text')).toThrow(/EISDIR|EEXIST|ENOTEMPTY/);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });
});

describe('a text', () => {
  it('is read from a plain file', () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'file'), 'text');
    expect(readText(join(folder.path, 'file'))).toBe('text');
  });

  const none = (what: string, make: (path: string) => void) =>
    it(`is none: ${what}`, () => {
      using folder = makeFolder();
      const path = join(folder.path, 'file');
      make(path);
      expect(readText(path)).toBeUndefined();
    });
  none('nothing is there', () => undefined);
  none('a folder', (path) => mkdirSync(path));
  none('a link, whatever its target is', (path) => symlinkSync('/etc/hostname', path));
  none('a link that loops', (path) => symlinkSync(path, path));

  it('of a FIFO is not waited for', () => {
    using folder = makeFolder();
    execFileSync('mkfifo', [join(folder.path, 'file')]);
    expect(readText(join(folder.path, 'file'))).toBe('');
  });
});

describe('what is not there', () => {
  it('is removed without an error', () => {
    using folder = makeFolder();
    removeFile(join(folder.path, 'none'));
    removeFile(join(folder.path, 'none', 'below'));
    expect(readNames(folder.path)).toEqual([]);
  });

  it('has no names in it', () => {
    using folder = makeFolder();
    expect(readNames(join(folder.path, 'none'))).toEqual([]);
    writeFileSync(join(folder.path, 'file'), '');
    expect(readNames(join(folder.path, 'file'))).toEqual([]);
    expect(readNames(folder.path)).toEqual(['file']);
  });
});

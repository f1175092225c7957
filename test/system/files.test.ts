import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createFile,
  makeFolders,
  readNames,
  readText,
  removeAbandonedFiles,
  removeFile,
  replaceFile,
  writeTemporaryFile,
} from '../../src/system/files.ts';
import { ownIdentity } from '../../src/system/process-identity.ts';
import { makeFolder } from '../log/make-folder.ts';

describe('a file that is created', () => {
  it('is accessible to its owner only, in folders that are created with it', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'below', 'further', 'file');
    expect(createFile(path, 'text')).toBe('created');
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'below')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  it.each(['/proc/none/file', '/dev/null/below/file'])('is an error where no folder can be created: %s', (path) => {
    expect(() => createFile(path, 'text')).toThrow(/ENOENT|ENOTDIR/);
  });

  it('is unchanged if it exists', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    createFile(path, 'first');
    expect(createFile(path, 'second')).toBe('exists');
    expect(readFileSync(path, 'utf8')).toBe('first');
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  it('is not written through a link of another process', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    const target = join(folder.path, 'target');
    symlinkSync(target, path);
    expect(createFile(path, 'text')).toBe('exists');
    expect(existsSync(target)).toBe(false);
  });
});

describe('a file that is replaced', () => {
  it('is a different file: readers of the old one can read it to its end', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    replaceFile(path, 'first');
    const { ino } = statSync(path);
    replaceFile(path, 'second');
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(statSync(path).ino).not.toBe(ino);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  it('replaces a link, but not the target of the link', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    const target = join(folder.path, 'target');
    writeFileSync(target, 'theirs');
    symlinkSync(target, path);
    replaceFile(path, 'ours');
    expect([readFileSync(path, 'utf8'), readFileSync(target, 'utf8')]).toEqual(['ours', 'theirs']);
  });

  it('leaves nothing if a folder has its name', () => {
    using folder = makeFolder();
    mkdirSync(join(folder.path, 'file'));
    expect(() => replaceFile(join(folder.path, 'file'), 'text')).toThrow(/EISDIR|EEXIST|ENOTEMPTY/);
    expect(readdirSync(folder.path)).toEqual(['file']);
  });
});

describe('a temporary file', () => {
  it('is in the folder of the file whose name it takes, complete, before it takes the name', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    using file = writeTemporaryFile(path, 'text', { temporaryName: '.temporary' });
    expect([file.path, readFileSync(file.path, 'utf8')]).toEqual([join(folder.path, '.temporary'), 'text']);
    expect(readdirSync(folder.path)).toEqual(['.temporary']);
    file.replace();
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  it('that does not take the name is removed, and the previous file is kept', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    writeFileSync(path, 'previous');
    writeTemporaryFile(path, 'text')[Symbol.dispose]();
    expect([readdirSync(folder.path), readFileSync(path, 'utf8')]).toEqual([['file'], 'previous']);
  });

  it('replaces the file for new readers only: another name of the previous file keeps its content', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'file');
    writeFileSync(path, 'previous');
    linkSync(path, join(folder.path, 'other'));
    using file = writeTemporaryFile(path, 'text', { durability: 'synced' });
    file.replace();
    expect([readFileSync(path, 'utf8'), readFileSync(join(folder.path, 'other'), 'utf8')]).toEqual([
      'text',
      'previous',
    ]);
  });

  it.each(['text', Buffer.from('text'), 'copy'])(
    'has its content and its exact mode, whatever the umask is: %o',
    (content) => {
      using folder = makeFolder();
      const source = join(folder.path, 'source');
      writeFileSync(source, 'text', { mode: 0o600 });
      const path = join(folder.path, 'file');
      using file = writeTemporaryFile(path, content === 'copy' ? { copyOf: source } : content, { mode: 0o777 });
      expect(file.create()).toBe('created');
      expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o7777]).toEqual(['text', 0o777]);
    },
  );

  it('is not written in a missing folder, or under a name that is in use', () => {
    using folder = makeFolder();
    expect(() => writeTemporaryFile(join(folder.path, 'none', 'file'), 'text')).toThrow('ENOENT');
    writeFileSync(join(folder.path, 'used'), 'theirs');
    for (const content of ['text', { copyOf: '/dev/null' }]) {
      const write = () => writeTemporaryFile(join(folder.path, 'file'), content, { temporaryName: 'used' });
      expect(write).toThrow('EEXIST');
    }
    expect([readdirSync(folder.path), readFileSync(join(folder.path, 'used'), 'utf8')]).toEqual([['used'], 'theirs']);
  });

  it('of a killed process is removed, but not of a running one, and no other file', () => {
    using folder = makeFolder();
    const { pid, startTicks } = ownIdentity();
    const kept = [`a.${pid}-${startTicks}.new`, 'a.new', 'b'];
    for (const name of [...kept, `a.${pid}-1.new`]) writeFileSync(join(folder.path, name), '');
    removeAbandonedFiles(folder.path);
    expect(readdirSync(folder.path).toSorted()).toEqual(kept.toSorted());
  });
});

describe('folders', () => {
  it('are created with the missing ones above them, for their owner alone', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'a', 'b');
    makeFolders(path);
    makeFolders(path);
    expect([path, join(path, '..')].map((one) => statSync(one).mode & 0o777)).toEqual([0o700, 0o700]);
  });

  it('are not created below a link that leads nowhere', () => {
    using folder = makeFolder();
    symlinkSync('nowhere', join(folder.path, 'link'));
    expect(() => makeFolders(join(folder.path, 'link'))).toThrow('EEXIST');
  });
});

describe('a text', () => {
  it('is read from a plain file', () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'file'), 'text');
    expect(readText(join(folder.path, 'file'))).toBe('text');
  });

  const unreadable = (what: string, make: (path: string) => void) =>
    it(`is undefined: ${what}`, () => {
      using folder = makeFolder();
      const path = join(folder.path, 'file');
      make(path);
      expect(readText(path)).toBeUndefined();
    });
  unreadable('nothing exists', () => undefined);
  unreadable('a folder', (path) => mkdirSync(path));
  unreadable('a link, whatever its target is', (path) => symlinkSync('/etc/hostname', path));
  unreadable('a link that loops', (path) => symlinkSync(path, path));

  it('of a FIFO is empty, without waiting for a writer', () => {
    using folder = makeFolder();
    execFileSync('mkfifo', [join(folder.path, 'file')]);
    expect(readText(join(folder.path, 'file'))).toBe('');
  });
});

describe('a path that does not exist', () => {
  it('is removed without an error', () => {
    using folder = makeFolder();
    removeFile(join(folder.path, 'none'));
    removeFile(join(folder.path, 'none', 'below'));
    removeFile(join(folder.path, 'none'), 'synced');
    expect(readNames(folder.path)).toEqual([]);
  });

  it('has no names, and neither has a file', () => {
    using folder = makeFolder();
    expect(readNames(join(folder.path, 'none'))).toEqual([]);
    writeFileSync(join(folder.path, 'file'), '');
    expect(readNames(join(folder.path, 'file'))).toEqual([]);
    expect(readNames(folder.path)).toEqual(['file']);
  });
});

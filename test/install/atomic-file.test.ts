import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { writeFileAtomically, removeFile } from '../../src/install/atomic-file.ts';
import { makeFolder } from './make-folder.ts';

const text = (content: string) => ({ kind: 'text', text: content }) as const;

describe('a file that is put in place', () => {
  it('has its bytes and mode, whatever the umask, and nothing else stands beside it', async () => {
    using folder = makeFolder();
    const path = join(folder.path, 'a');
    await writeFileAtomically(path, text('one'), 0o666);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777, readdirSync(folder.path)]).toEqual([
      'one',
      0o666,
      ['a'],
    ]);
  });

  it('is a copy where one is asked for', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'from'), 'bytes', { mode: 0o600 });
    await writeFileAtomically(join(folder.path, 'a'), { kind: 'copy', from: join(folder.path, 'from') }, 0o755);
    expect([readFileSync(join(folder.path, 'a'), 'utf8'), statSync(join(folder.path, 'a')).mode & 0o777]).toEqual([
      'bytes',
      0o755,
    ]);
  });

  it('leaves the old one to whoever has it open, by another name too', async () => {
    using folder = makeFolder();
    const path = join(folder.path, 'a');
    writeFileSync(path, 'old');
    linkSync(path, join(folder.path, 'other'));
    await writeFileAtomically(path, text('new'), 0o600);
    expect([readFileSync(path, 'utf8'), readFileSync(join(folder.path, 'other'), 'utf8')]).toEqual(['new', 'old']);
  });

  it('takes the place of a link, and not that of the file that it leads to', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'elsewhere'), 'kept');
    symlinkSync('elsewhere', join(folder.path, 'a'));
    await writeFileAtomically(join(folder.path, 'a'), text('new'), 0o600);
    expect(readFileSync(join(folder.path, 'elsewhere'), 'utf8')).toBe('kept');
  });

  it('that is not approved of is not put there, and nothing is left of it', async () => {
    using folder = makeFolder();
    writeFileSync(join(folder.path, 'a'), 'old');
    const refusal = new CniError(50, 'no');
    const put = writeFileAtomically(join(folder.path, 'a'), text('new'), 0o600, async (path) => {
      expect(readFileSync(path, 'utf8')).toBe('new');
      throw refusal;
    });
    await expect(put).rejects.toBe(refusal);
    expect([readFileSync(join(folder.path, 'a'), 'utf8'), readdirSync(folder.path)]).toEqual(['old', ['a']]);
  });

  it('in a folder that is missing says so', async () => {
    using folder = makeFolder();
    await expect(writeFileAtomically(join(folder.path, 'b', 'a'), text(''), 0o600)).rejects.toThrow(
      /ENOENT.*mount the node's folder/,
    );
  });

  it('where a folder has its name says so', async () => {
    using folder = makeFolder();
    mkdirSync(join(folder.path, 'a'));
    await expect(writeFileAtomically(join(folder.path, 'a'), text(''), 0o600)).rejects.toThrow('EISDIR');
    expect(readdirSync(folder.path)).toEqual(['a']);
  });
});

it('a file that is removed is gone, and one that is gone is removed', async () => {
  using folder = makeFolder();
  const path = join(folder.path, 'a');
  writeFileSync(path, '');
  await removeFile(path);
  await removeFile(path);
  expect(readdirSync(folder.path)).toEqual([]);
});

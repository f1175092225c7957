import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { tarArchive, type TarEntry } from '../../../build/image/tar-archive.ts';

const file = (path: string, text = ''): TarEntry => ({ path, content: Buffer.from(text), mode: 0o755 });
const listed = (entries: readonly TarEntry[]) =>
  execFileSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tv'], { input: tarArchive(entries) })
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));

it('tar(1) lists it sorted, with parent folders, owned by root, at time 0', () => {
  expect(listed([file('b', 'text'), { path: 'a/c', linkTarget: '../b' }])).toEqual([
    'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 a/',
    'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 a/c -> ../b',
    '-rwxr-xr-x 0/0 4 1970-01-01 00:00:00 b',
  ]);
});

it('contents of any length are unchanged', () => {
  for (const length of [0, 1, 511, 512, 513, 5000]) {
    const content = Buffer.alloc(length, 'x');
    const input = tarArchive([{ path: 'f', content, mode: 0o644 }, file('g', 'next file')]);
    expect(execFileSync('tar', ['-xO', 'f'], { input }).equals(content)).toBe(true);
    expect(execFileSync('tar', ['-xO', 'g'], { input }).toString()).toBe('next file');
  }
});

it('the order of the entries makes no difference', () => {
  const entries = [file('a/b'), file('a'.repeat(100)), file('a.b')];
  expect(tarArchive(entries).equals(tarArchive(entries.toReversed()))).toBe(true);
});

it('a path that is too long for ustar is rejected', () => {
  expect(() => tarArchive([file('a'.repeat(101))])).toThrow('too long');
});

it('a path that occurs twice is rejected', () => {
  expect(() => tarArchive([file('a'), file('a')])).toThrow('twice');
});

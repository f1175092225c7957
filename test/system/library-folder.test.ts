import { expect, it } from 'vitest';
import {
  formatLibrarySlot,
  LIBRARY_SLOT,
  MAX_FOLDER_BYTES,
  parseLibrarySlot,
} from '../../src/system/library-folder.ts';

it('a slot holds the path of the folder, and that of the loader in it for the kernel', () => {
  const slot = formatLibrarySlot('/var/lib/podwire/native/1-ab', 'ld.so');
  expect(slot).toHaveLength(LIBRARY_SLOT.sizeBytes);
  expect(parseLibrarySlot(slot)).toBe('/var/lib/podwire/native/1-ab');
  expect(slot.toString('latin1', LIBRARY_SLOT.loaderAt)).toMatch(/^\/var\/lib\/podwire\/native\/1-ab\/ld\.so\0/);
});

it.each(['/a:/b', '/a/$ORIGIN'])('%s, which the loader does not take as one path, is an error', (folder) =>
  expect(() => formatLibrarySlot(folder, 'ld.so')).toThrow('cannot contain'),
);

it('an empty slot has no folder', () => {
  expect(parseLibrarySlot(formatLibrarySlot(undefined, ''))).toBeUndefined();
});

it('each slot begins in the same way, by which it is found', () => {
  for (const folder of [undefined, '/a']) {
    expect(formatLibrarySlot(folder, 'ld.so').indexOf(LIBRARY_SLOT.magic)).toBe(0);
  }
});

it('the longest path fits, and a longer one is an error', () => {
  const longest = `/${'a'.repeat(MAX_FOLDER_BYTES - 1)}`;
  expect(parseLibrarySlot(formatLibrarySlot(longest, 'ld.so'))).toBe(longest);
  expect(() => formatLibrarySlot(`${longest}a`, 'ld.so')).toThrow(RangeError);
  expect(() => formatLibrarySlot(longest, 'a'.repeat(64))).toThrow(RangeError);
});

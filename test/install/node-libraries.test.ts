import { describe, expect, it } from 'vitest';
import { libraryFolders, missingOnNode } from '../../src/install/node-libraries.ts';

const listing = (stdout: string, exitCode = 0, stderr = '') => ({ stdout, exitCode, stderr });
const LIBC =
  '\tlinux-vdso.so.1 (0x00007ffe)\n\tlibc.so.6 => /node/lib/libc.so.6 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n';

describe("the loader's list of libraries", () => {
  it('with every library on the node nothing is missing', () =>
    expect(missingOnNode(listing(LIBC), '/node')).toBeUndefined());
  it('a library of the image is missing on the node', () =>
    expect(missingOnNode(listing(`${LIBC}\tlibstdc++.so.6 => /usr/lib/libstdc++.so.6 (0x0)\n`), '/node')).toMatch(
      /^libstdc\+\+\.so\.6: cannot open/,
    ));
  it('a library in a folder with the same prefix is not on the node', () =>
    expect(missingOnNode(listing('\ta.so => /nodes/a.so (0x0)\n'), '/node')).toMatch(/^a\.so/));
  it('a library that does not exist is missing', () =>
    expect(missingOnNode(listing('\tlibgcc_s.so.1 => not found\n', 1), '/node')).toMatch(/^libgcc_s\.so\.1/));
  it('a failure of the loader is quoted', () =>
    expect(missingOnNode(listing(LIBC, 1, "version `GLIBC_2.28' not found\n"), '/node')).toBe(
      "version `GLIBC_2.28' not found",
    ));
});

it('libraries are searched in the folders of Debian and Red Hat', () => {
  expect(libraryFolders('/node', 'x64')).toEqual(
    expect.arrayContaining(['/node/usr/lib/x86_64-linux-gnu', '/node/usr/lib64']),
  );
  expect(libraryFolders('/node', 'arm64')).toContain('/node/usr/lib/aarch64-linux-gnu');
});

import { chmodSync, chownSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { findDelegate } from '../../src/delegate/find-delegate.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'podwire-'));
const program = (directory: string, mode = 0o755) => {
  const path = join(directory, 'host-local');
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
};

describe('findDelegate', () => {
  it('returns the file in the first folder of CNI_PATH that has one', () => {
    const empty = folder();
    const first = folder();
    const second = folder();
    const wanted = program(first);
    program(second);
    expect(findDelegate('host-local', [empty, first, second])).toBe(wanted);
  });

  it('skips a folder of that name', () => {
    const first = folder();
    const second = folder();
    mkdirSync(join(first, 'host-local'));
    const wanted = program(second);
    expect(findDelegate('host-local', [first, second])).toBe(wanted);
  });

  it('follows a link to a program', () => {
    const real = folder();
    const linked = folder();
    symlinkSync(program(real), join(linked, 'host-local'));
    expect(findDelegate('host-local', [linked])).toBe(join(linked, 'host-local'));
  });

  const refuses = (claim: string, make: () => string, message: RegExp) =>
    it(claim, () => {
      const directory = make();
      expect(() => findDelegate('host-local', [directory])).toThrow(
        expect.objectContaining({ code: ERROR_CODE.delegateFailed, message: expect.stringMatching(message) }),
      );
    });
  refuses(
    'one that is missing is an error that says how to get it',
    folder,
    /host-local is missing on this node; install it/,
  );
  refuses(
    'one that others can write is not run',
    () => withProgram(0o757),
    /not run, because users other than root can change/,
  );
  refuses('a program that its group can write is not run', () => withProgram(0o775), /chmod 0755/);
  refuses(
    'a program without an execute bit is an error with a remedy',
    () => withProgram(0o644),
    /cannot be run: .*chmod 0755/,
  );
  refuses('a program that another user owns is not run', () => withProgram(0o755, 1234), /chown root:root/);

  function withProgram(mode: number, uid = 0): string {
    const directory = folder();
    chownSync(program(directory, mode), uid, 0);
    return directory;
  }
});

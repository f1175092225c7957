import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { cwd } from 'node:process';
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
  refuses('a program that its group can write is not run', () => withProgram(0o775, 0, 1234), /chmod 0755/);
  refuses(
    'a program without an execute bit is an error with a remedy',
    () => withProgram(0o644),
    /cannot be run: .*chmod 0755/,
  );
  refuses('a program that another user owns is not run', () => withProgram(0o755, 1234), /chown root:root/);

  refuses(
    'a program in a folder of the user kube, as Kubespray creates it, is not run',
    () => inParent(0o755, 1234, 0),
    /users other than root can change \/\S+\/parent; .* chown root:root \/\S+\/parent/,
  );
  refuses('below a folder that others can write', () => inParent(0o757), /can change \/\S+\/parent;/);
  refuses('below a folder that its group can write', () => inParent(0o775, 0, 1234), /can change \/\S+\/parent;/);
  refuses('in a folder like /tmp', () => folderLikeTmp(), /can change \S+; move the plugins/);
  refuses(
    'a link whose target is below a folder that others can write',
    () => linkedTo(join(inParent(0o757), 'host-local')),
    /can change \/\S+\/parent;/,
  );
  refuses(
    'a link to a link whose folder others can write',
    () => {
      const open = folder();
      symlinkSync(program(folder()), join(open, 'host-local'));
      chmodSync(open, 0o777);
      return linkedTo(join(open, 'host-local'));
    },
    /because users other than root can change/,
  );
  refuses(
    'a folder that is a link below a folder that others can write',
    () => {
      const open = folder();
      const real = folder();
      program(real);
      symlinkSync(real, join(open, 'bin'));
      chmodSync(open, 0o777);
      return join(open, 'bin');
    },
    /because users other than root can change/,
  );
  refuses(
    'a link that another user owns',
    () => {
      const directory = linkedTo(program(folder()));
      lchownSync(join(directory, 'host-local'), 1234, 0);
      return directory;
    },
    /can change \/\S+\/host-local/,
  );
  refuses(
    'a relative folder below a folder that others can write',
    () => relative(cwd(), inParent(0o757)),
    /can change \/\S+\/parent;/,
  );

  it.each([
    ['a folder that the group root can write, as the tarball of the CNI plugins leaves it', () => inParent(0o775)],
    ['a folder where the group root can write the program', () => withProgram(0o775)],
    ['a relative folder', () => relative(cwd(), inParent(0o755))],
    ['a relative folder with a dot', () => `./${relative(cwd(), inParent(0o755))}`],
  ])('runs the program in %s', (_, make) => {
    const directory = make();
    const found = findDelegate('host-local', [directory]);
    expect([isAbsolute(found), realpathSync(found)]).toEqual([true, realpathSync(join(directory, 'host-local'))]);
  });

  it('resolves .. behind a link as the kernel does', () => {
    const [real, linked] = [folder(), folder()];
    mkdirSync(join(real, 'bin'));
    const wanted = program(real);
    symlinkSync(join(real, 'bin'), join(linked, 'bin'));
    expect(realpathSync.native(findDelegate('host-local', [`${linked}/bin/..`]))).toBe(wanted);
  });

  function withProgram(mode: number, uid = 0, gid = 0): string {
    const directory = folder();
    const path = program(directory, mode);
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    return directory;
  }

  /** The folder `bin` with the program, below the folder `parent`. */
  function inParent(mode: number, uid = 0, gid = 0): string {
    const parent = join(folder(), 'parent');
    mkdirSync(join(parent, 'bin'), { recursive: true });
    program(join(parent, 'bin'));
    chownSync(parent, uid, gid);
    chmodSync(parent, mode);
    return join(parent, 'bin');
  }

  function folderLikeTmp(): string {
    const directory = withProgram(0o755);
    chmodSync(directory, 0o1777);
    return directory;
  }

  function linkedTo(target: string): string {
    const directory = folder();
    symlinkSync(target, join(directory, 'host-local'));
    return directory;
  }
});

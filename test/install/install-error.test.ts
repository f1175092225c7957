import { describe, expect, it } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { formatExplainedError, fileError, InstallError, isExplained } from '../../src/install/install-error.ts';
import { KernelError } from '../../src/system/kernel-error.ts';

describe('an error of the file system', () => {
  const says = (code: string, remedy: RegExp) =>
    it(`${code} has a remedy`, () => {
      const error = fileError('write', '/host/a', Object.assign(new Error('words'), { code }));
      expect(error).toMatchObject({ name: 'InstallError', details: 'words' });
      expect(error.message).toMatch(new RegExp(`^cannot write /host/a \\(${code}\\): `));
      expect(error.message).toMatch(remedy);
    });
  says('EROFS', /read-only: remove readOnly from/);
  says('ENOSPC', /full: free some space/);
  says('EACCES', /as root/);

  const missing = Object.assign(new Error('words'), { code: 'ENOENT' });
  it('ENOENT of a file whose folder exists is a missing file', () =>
    expect(fileError('read', `${import.meta.dirname}/nowhere`, missing).message).toBe(
      `cannot read ${import.meta.dirname}/nowhere (ENOENT): the file is missing: correct its path, or create it`,
    ));
  it('ENOENT of a file whose folder is missing is a missing folder', () =>
    expect(fileError('write', '/nowhere/a', missing).message).toMatch(
      /its folder is missing: mount the node's folder there, or .*--root \//,
    ));
  it('ENOENT of a folder is a missing folder', () =>
    expect(fileError('read the folder', '/nowhere', missing, 'folder').message).toMatch(
      /: the folder is missing: mount/,
    ));
  says('EWHAT', /see the details/);

  it('that explains itself is kept', () => {
    const error = new InstallError('this node cannot');
    expect(fileError('write', '/a', error)).toBe(error);
  });
});

describe('an error that explains itself', () => {
  const EXPLAINED = [new InstallError('why'), new CniError(7, 'why'), new KernelError('load', '/a', 'EACCES')];
  it.each(EXPLAINED)('is %o', (error) => expect(isExplained(error)).toBe(true));
  it('is not a bug of podwire', () => expect(isExplained(new TypeError('bug'))).toBe(false));

  it('is described with its details, if it has any', () => {
    expect(formatExplainedError(new InstallError('cannot'))).toBe('cannot');
    expect(formatExplainedError(new InstallError('cannot', { details: 'why' }))).toBe('cannot (why)');
    expect(formatExplainedError(new CniError(5, 'cannot', { details: 'why' }))).toBe('cannot (why)');
    expect(formatExplainedError(new KernelError('load', '/a', 'EACCES'))).toBe(
      'cannot load /a: permission denied (EACCES)',
    );
  });
});

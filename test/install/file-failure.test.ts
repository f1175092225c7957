import { describe, expect, it } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { fileFailure } from '../../src/install/file-failure.ts';

describe('an error of the file system', () => {
  const says = (code: string, remedy: RegExp) =>
    it(`${code} tells what to do`, () => {
      const error = fileFailure('write', '/host/a', Object.assign(new Error('words'), { code }));
      expect(error).toMatchObject({ code: 5, details: 'words' });
      expect(error.message).toMatch(new RegExp(`^cannot write /host/a \\(${code}\\): `));
      expect(error.message).toMatch(remedy);
    });
  says('EROFS', /read-only: take readOnly off/);
  says('ENOSPC', /full: make room/);
  says('EACCES', /as root/);
  says('ENOENT', /mount the node's folder there, or .*--root \//);
  says('EWHAT', /see the details/);

  it('one that has words already keeps them', () => {
    const error = new CniError(50, 'this node cannot');
    expect(fileFailure('write', '/a', error)).toBe(error);
  });
});

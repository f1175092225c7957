import { describe, expect, it } from 'vitest';
import { failedRunError, missingLibraryRemedy, type FailedRun } from '../../src/install/failed-run.ts';

describe('a program that does not run', () => {
  const explains = (why: string, run: Partial<FailedRun>, message: RegExp) =>
    it(why, () => {
      const error = failedRunError({
        program: '/opt/cni/bin/podwire',
        errno: undefined,
        signal: null,
        stderr: '',
        ...run,
      });
      expect(error.message).toMatch(/^this node cannot run \/opt\/cni\/bin\/podwire: /);
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/nothing was replaced$/);
    });
  const stderr = (text: string) => ({ stderr: text });
  explains(
    'an old glibc',
    stderr("podwire: /lib64/libc.so.6: version `GLIBC_2.28' not found (required by podwire)"),
    /needs GLIBC 2\.28.*glibc 2\.28 or newer/,
  );
  explains('an old libstdc++', stderr("libstdc++.so.6: version `GLIBCXX_3.4.21' not found"), /needs GLIBCXX 3\.4\.21/);
  explains(
    'no libstdc++',
    stderr('error while loading shared libraries: libstdc++.so.6: cannot open shared object file: No such file'),
    /install libstdc\+\+6/,
  );
  explains('a folder that is noexec', { errno: 'EACCES' }, /mounted noexec/);
  explains('another architecture', { errno: 'ENOEXEC' }, /another architecture/);
  explains('no loader', { errno: 'ENOENT' }, /a system with musl/);
  explains('a signal', { signal: 'SIGILL' }, /ended by SIGILL/);
  explains('an unexpected response', { stderr: 'what?' }, /did not answer like a CNI plugin/);
});

it('a library without a known package is still named', () => {
  expect(missingLibraryRemedy('libgcc_s.so.1')).toContain('libgcc-s1');
  expect(missingLibraryRemedy('libodd.so.1')).toBe('install it on the node');
});

import { describe, expect, it } from 'vitest';
import { failedRunError, type FailedRun } from '../../src/install/failed-run.ts';

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
  explains('a folder that is noexec', { errno: 'EACCES' }, /mounted noexec/);
  explains('another architecture', { errno: 'ENOEXEC' }, /another architecture/);
  explains(
    'a folder of libraries that is noexec',
    stderr('libm.so.6: failed to map segment from shared object'),
    /mounted noexec/,
  );
  explains('no loader', { errno: 'ENOENT' }, /the loader that it names is missing/);
  explains('a signal', { signal: 'SIGILL' }, /ended by SIGILL/);
  explains('an unexpected response', { stderr: 'what?' }, /did not answer like a CNI plugin/);
});

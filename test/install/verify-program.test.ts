import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyProgram } from '../../src/install/verify-program.ts';
import { makeFolder } from './make-folder.ts';

describe('a program', () => {
  const verifies = (why: string, script: string, outcome: RegExp | 'runs') =>
    it(why, async () => {
      using folder = makeFolder();
      const path = join(folder.path, 'plugin');
      writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const verified = verifyProgram(path, '/opt/cni/bin/plugin');
      if (outcome === 'runs') await expect(verified).resolves.toBeUndefined();
      else await expect(verified).rejects.toThrow(outcome);
    });
  const answer = (json: string) => `cat >/dev/null; echo '${json}'`;

  verifies('that prints the versions of CNI is accepted', answer('{"supportedVersions":["1.0.0"]}'), 'runs');
  verifies('that prints no versions is an error', answer('{"supportedVersions":[]}'), /did not answer/);
  verifies('that prints no JSON is an error', answer('hello'), /did not answer/);
  verifies(
    'that fails is an error with a remedy',
    'echo "libgcc_s.so.1: failed to map segment from shared object" >&2; exit 127',
    /mounted noexec/,
  );
  verifies('that is ended by a signal is an error that names it', 'kill -SEGV $$', /ended by SIGSEGV/);

  it('that cannot be executed is an error with the cause', async () => {
    using folder = makeFolder();
    const path = join(folder.path, 'plugin');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o644);
    await expect(verifyProgram(path, 'plugin')).rejects.toThrow('noexec');
  });
});

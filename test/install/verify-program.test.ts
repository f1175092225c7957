import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasNodeRoot, verifyProgram } from '../../src/install/verify-program.ts';
import { makeFolder } from './make-folder.ts';

describe('a program', () => {
  const verifies = (why: string, script: string, outcome: RegExp | 'runs') =>
    it(why, async () => {
      using folder = makeFolder();
      const path = join(folder.path, 'plugin');
      writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const verified = verifyProgram(path, '/opt/cni/bin/plugin', undefined);
      if (outcome === 'runs') await expect(verified).resolves.toBeUndefined();
      else await expect(verified).rejects.toThrow(outcome);
    });
  const answer = (json: string) => `cat >/dev/null; echo '${json}'`;

  verifies('that prints the versions of CNI is accepted', answer('{"supportedVersions":["1.0.0"]}'), 'runs');
  verifies('that prints no versions is an error', answer('{"supportedVersions":[]}'), /did not answer/);
  verifies('that prints no JSON is an error', answer('hello'), /did not answer/);
  verifies(
    'that fails is an error with a remedy',
    'echo "libgcc_s.so.1: cannot open shared object file" >&2; exit 127',
    /install libgcc-s1/,
  );
  verifies('that is ended by a signal is an error that names it', 'kill -SEGV $$', /ended by SIGSEGV/);

  it('that cannot be executed is an error with the cause', async () => {
    using folder = makeFolder();
    const path = join(folder.path, 'plugin');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o644);
    await expect(verifyProgram(path, 'plugin', undefined)).rejects.toThrow('noexec');
  });

  it('that is a script needs no libraries of the node', async () => {
    using folder = makeFolder();
    mkdirSync(join(folder.path, 'usr'));
    const script = join(folder.path, 'script');
    writeFileSync(script, `#!/bin/sh\n${answer('{"supportedVersions":["1.0.0"]}')}\n`, { mode: 0o755 });
    await expect(verifyProgram(script, 'script', folder.path)).resolves.toBeUndefined();
  });
});

it("a node's file system is there if it has /usr", async () => {
  using folder = makeFolder();
  expect(await hasNodeRoot(folder.path)).toBe(false);
  mkdirSync(join(folder.path, 'usr'));
  expect(await hasNodeRoot(folder.path)).toBe(true);
});

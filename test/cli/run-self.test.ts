import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSelf } from '../../src/cli/run-self.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'podwire-self-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (script: string) => {
  const executablePath = join(folder, `program-${Math.random()}`);
  writeFileSync(executablePath, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return runSelf({
    executablePath,
    environment: { CNI_COMMAND: 'ADD', PATH: '/usr/bin:/bin' },
    config: { name: 'n' },
    timeoutMs: 10_000,
  });
};

describe('runSelf', () => {
  it('passes the environment and the configuration', async () =>
    expect(await run('echo "$CNI_COMMAND"; cat')).toMatchObject({
      succeeded: true,
      stdout: 'ADD\n{"name":"n"}',
      message: '',
    }));
  it('takes the message from an error result', async () =>
    expect(await run(`echo '{"code": 7, "msg": "wrong [PW102]"}'; exit 1`)).toMatchObject({
      succeeded: false,
      message: 'wrong [PW102]',
    }));
  it('without a result, the message is how it ended', async () =>
    expect(await run('exit 3')).toMatchObject({ succeeded: false, message: 'it ended with status 3' }));
  it('a program that cannot be started is a failure', async () => {
    const ended = await runSelf({ executablePath: '/none', environment: {}, config: {}, timeoutMs: 1000 });
    expect(ended).toMatchObject({ succeeded: false, message: expect.stringContaining('ENOENT') });
  });
});

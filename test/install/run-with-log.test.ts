import { describe, expect, it } from 'vitest';
import { InstallError } from '../../src/install/install-error.ts';
import { runWithLog } from '../../src/install/run-with-log.ts';
import { KernelError } from '../../src/system/kernel-error.ts';

async function report(
  command: Parameters<typeof runWithLog>[1],
  environment = {},
): Promise<{ status: number; text: string }> {
  let text = '';
  const status = await runWithLog({ environment, writeStderr: (line) => void (text += line) }, command);
  return { status, text };
}

describe('a command of the installer', () => {
  it('that succeeds has status 0 and its own lines', async () => {
    const { status, text } = await report(async (log) => log.info('done'));
    expect({ status, text }).toEqual({ status: 0, text: expect.stringMatching(/^\S+ INFO done\n$/) });
  });

  it('that fails has status 1 and one line, with the details', async () => {
    const { status, text } = await report(() => Promise.reject(new InstallError('cannot write', { details: 'EROFS' })));
    expect({ status, text }).toEqual({
      status: 1,
      text: expect.stringMatching(/^\S+ ERROR cannot write \(EROFS\)\n$/),
    });
  });

  it('that fails with a KernelError has status 1 too', async () =>
    expect(await report(() => Promise.reject(new KernelError('load', '/a', 'EACCES')))).toMatchObject({ status: 1 }));

  it('that fails with a bug throws it', async () =>
    expect(report(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug'));

  it('logs details only at the level debug', async () => {
    const command = async (log: { debug(line: string): void }) => log.debug('a request');
    expect((await report(command)).text).toBe('');
    expect((await report(command, { LOG_LEVEL: 'Debug' })).text).toContain('DEBUG a request');
  });

  it('shows no token, even if a message contains one', async () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
    expect((await report(async (log) => log.info(`a token: ${token}`))).text).not.toContain('c2lnbmF0dXJl');
  });
});

import { describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../src/cni/error.ts';
import { isJsonObject } from '../src/json/json.ts';
import { runPlugin, type PluginIo } from '../src/plugin.ts';
import { openLibcLoader } from '../src/system/libc.ts';
import { netconf } from './lab/netconf.ts';
import { requestInput } from './support/builders/request.ts';

async function call(input: Pick<PluginIo, 'environment' | 'stdin'>, overrides: Partial<PluginIo> = {}) {
  let stdout = '';
  let stderr = '';
  const status = await runPlugin({
    ...input,
    libc: openLibcLoader(),
    writeStdout: async (text) => void (stdout += text),
    writeStderr: (text) => void (stderr += text),
    signal: new AbortController().signal,
    ...overrides,
  });
  const answer: unknown = stdout === '' ? {} : JSON.parse(stdout);
  return { status, stderr, answer: isJsonObject(answer) ? answer : {} };
}

/** A STATUS that cannot succeed: its delegate does not exist. */
const aStatus = (overrides: Parameters<typeof netconf>[0] = {}, environment = {}) =>
  requestInput({
    environment: { CNI_COMMAND: 'STATUS', CNI_PATH: '/none', ...environment },
    config: netconf({ cniVersion: '1.1.0', ...overrides }),
  });

describe('a call of the plugin', () => {
  it('VERSION is answered with the supported versions, in the caller’s version', async () => {
    const { status, answer, stderr } = await call(requestInput({ environment: { CNI_COMMAND: 'VERSION' } }));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(answer).toMatchObject({
      cniVersion: '1.0.0',
      supportedVersions: expect.arrayContaining(['0.1.0', '1.1.0']),
    });
  });

  const refuses = (what: string, input: Parameters<typeof call>[0], code: number, cniVersion: string) =>
    it(`is refused in the caller’s version: ${what}`, async () => {
      const { status, answer } = await call(input);
      expect({ status, answer }).toEqual({
        status: 1,
        answer: expect.objectContaining({ code, cniVersion, msg: expect.any(String) }),
      });
    });
  refuses(
    'no container id',
    requestInput({ environment: { CNI_CONTAINERID: '' } }),
    ERROR_CODE.invalidEnvironment,
    '1.0.0',
  );
  refuses('no JSON', requestInput({ stdin: '{' }), ERROR_CODE.undecodable, '1.1.0');
  refuses(
    'an unknown command',
    requestInput({ environment: { CNI_COMMAND: 'add' } }),
    ERROR_CODE.invalidEnvironment,
    '1.0.0',
  );
  refuses(
    'a version to come',
    requestInput({ config: netconf({ cniVersion: '9.9.9' }) }),
    ERROR_CODE.incompatibleVersion,
    '9.9.9',
  );

  it('that fails gives the reason on stdout, and in one line of the log on stderr', async () => {
    const { status, answer, stderr } = await call(requestInput({ environment: { CNI_PATH: '/none' } }));
    expect({ status, code: answer['code'] }).toEqual({ status: 1, code: ERROR_CODE.delegateFailed });
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .filter((line) => /code 102\]/.test(line)),
    ).toEqual([expect.stringMatching(/c1.*eth0.*default\/web-0/)]);
  });

  it('whose output has no reader fails with its exit status', async () => {
    const writeStdout = () => Promise.reject(new Error('EPIPE'));
    expect((await call(requestInput({ environment: { CNI_COMMAND: 'VERSION' } }), { writeStdout })).status).toBe(1);
    expect((await call(requestInput({ stdin: '{' }), { writeStdout })).status).toBe(1);
  });

  it('writes a trace of time only on request', async () => {
    const lines = async (environment: object) =>
      (await call(aStatus({}, environment))).stderr.split('\n').filter((line) => line.startsWith('trace '));
    expect(await lines({})).toEqual([]);
    expect(await lines({ PODWIRE_TRACE: '1' })).toEqual(
      expect.arrayContaining([
        expect.stringContaining('begin delegate.forward'),
        expect.stringContaining('end delegate.forward'),
      ]),
    );
  });
});

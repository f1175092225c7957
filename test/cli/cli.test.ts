import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../src/cli.ts';
import { openLibcLoader } from '../src/system/libc.ts';
import { PODWIRE_VERSION } from '../src/version.ts';
import { CANARY, openLoopbackCluster, type LoopbackCluster } from './cluster/loopback-cluster.ts';
import { netconf } from './lab/netconf.ts';

async function call(args: readonly string[], stdin = '', name = 'podwire') {
  let stdout = '';
  let stderr = '';
  const status = await runCli({
    args,
    called: { name, executablePath: process.execPath },
    listenForTermination: () => new AbortController().signal,
    environment: {},
    libc: openLibcLoader(),
    readStdin: () => new TextEncoder().encode(stdin),
    writeStdout: async (text) => void (stdout += text),
    writeStderr: (text) => void (stderr += text),
  });
  return { status, stdout, stderr };
}

describe('runCli', () => {
  it.each(['-v', '--v', '-v=true', 'version'])(
    '%s prints the version, the versions of the protocol, the state of the code cache, and the libraries',
    async (word) => {
      const { status, stdout, stderr } = await call([word]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.split('\n')).toEqual([
        `podwire ${PODWIRE_VERSION}`,
        expect.stringMatching(/^CNI 0\.1\.0 .* 1\.1\.0$/),
        'code cache: none',
        'libraries: those of this machine',
        '',
      ]);
    },
  );

  it.each([[[]], [['help']], [['-x', '-v']], [['-v=maybe']]])('%o prints the usage, with status 1', async (args) => {
    expect(await call(args)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^podwire .*podwire -t < NETCONF/s),
    });
  });
});

it('-v takes precedence over -t, as in Calico’s plugin', async () =>
  expect(await call(['-t', '-v'])).toMatchObject({ status: 0, stdout: expect.stringContaining('CNI 0.1.0') }));

it.each(['install', 'install-cni'])('under the name %s it installs', async (name) => {
  const { status, stderr } = await call(['--wrong'], '', name);
  expect([status, stderr]).toEqual([1, expect.stringContaining('podwire install accepts')]);
});

describe('podwire -t', () => {
  let loopback: LoopbackCluster;
  beforeAll(async () => {
    loopback = await openLoopbackCluster();
  });
  afterAll(() => loopback[Symbol.asyncDispose]());
  const configured = () => JSON.stringify(netconf({ kubernetes: { kubeconfig: loopback.kubeconfigPath } }));

  it('reports that the API server answers, and its version', async () => {
    expect(await call(['-t'], configured())).toEqual({
      status: 0,
      stdout: 'the API server answers: v1.36.1\n',
      stderr: '',
    });
  });

  const refuses = (what: string, stdin: () => string, message: RegExp) =>
    it(`reports why the request failed: ${what}`, async () => {
      const { status, stdout, stderr } = await call(['-t'], stdin());
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(message);
    });
  refuses('no configuration', () => '', /JSON|empty/);
  refuses('a configuration that is not an object', () => '[]', /object/);
  refuses('a configuration without a name', () => '{}', /name/);
  refuses('no kubeconfig', () => JSON.stringify(netconf({ kubernetes: { kubeconfig: '/none' } })), /\/none/);

  it('shows no secret if the server rejects the request', async () => {
    await loopback.api.setFault({ kind: 'status', status: 401 });
    const { status, stderr } = await call(['-t'], configured());
    await loopback.api.setFault(undefined);
    expect(status).toBe(1);
    expect(stderr).toContain('401');
    expect(stderr).not.toContain(CANARY);
  });
});

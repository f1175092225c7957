import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { PODWIRE_VERSION } from '../../src/version.ts';
import { makeApiAccess, type ApiAccess } from '../support/servers/api-access.ts';
import { EXECUTABLE, runExecutable } from '../lab/run-executable.ts';
import { makeTestPod } from '../support/nodes/test-pod.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { expectNoLeftovers } from '../support/suite/hooks.ts';

const ONE_LINE = /^[^\n]+\n$/;

let node: ApiServerNode;
let access: ApiAccess;
beforeAll(async () => {
  node = await startApiServerNode();
  access = await makeApiAccess(node);
});
afterAll(async () => {
  await access[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
expectNoLeftovers(() => node);

describe('without CNI_COMMAND', () => {
  it('podwire prints its help on stderr, and fails with status 2', async () => {
    const { exitCode, stdout, stderr } = await runExecutable();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: podwire COMMAND/);
    expect(stderr).toContain('cnitool');
  });

  it('an empty CNI_COMMAND counts as absent', async () => {
    const answered = await runExecutable({ environment: { CNI_COMMAND: '' } });
    expect(answered).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(/^Usage: podwire /) });
  });

  it('an unknown command is named', async () => {
    const answered = await runExecutable({ args: ['no-such-command'] });
    expect(answered).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('"no-such-command"') });
  });

  it('podwire -v prints its version, and those of the protocol', async () => {
    const { exitCode, stdout, stderr } = await runExecutable({ args: ['-v'] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split(/[\n,]/)[0]).toBe(`podwire ${PODWIRE_VERSION}`);
    expect(stdout).toContain('CNI 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0 1.1.0');
  });
});

describe('podwire -t', () => {
  const test = (netconf: JsonObject | string) =>
    runExecutable({ args: ['-t'], stdin: typeof netconf === 'string' ? netconf : JSON.stringify(netconf) });

  it('prints on the first line which API server answers, and then what it has tested', async () => {
    const { exitCode, stdout, stderr } = await test(node.netconf());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^the API server answers: v1\.\d+.*\n✓ PW201 /);
  });

  const fails = (why: string, message: RegExp, netconf: () => Promise<JsonObject | string>) =>
    it(`fails with one line, and shows no token: ${why}`, async () => {
      const { exitCode, stdout, stderr } = await test(await netconf());
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toMatch(ONE_LINE);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain(access.token);
    });
  const withKubeconfig = async (cluster: JsonObject, token: string): Promise<JsonObject> => {
    const kubeconfig = access.kubeconfig({ 'certificate-authority': 'ca.crt', ...cluster }, { token });
    return node.netconf({ kubernetes: { kubeconfig: await access.write('kubeconfig', JSON.stringify(kubeconfig)) } });
  };

  fails('no process listens there', /refuses connections/, () =>
    withKubeconfig({ server: 'https://127.0.0.1:1' }, access.token),
  );
  fails('the token is refused', /the token was refused \(401\)/, () => withKubeconfig({}, 'no.such.token'));
  fails('the kubeconfig is missing', /kubeconfig \/nowhere does not exist/, async () =>
    node.netconf({ kubernetes: { kubeconfig: '/nowhere' } }),
  );
  fails('the token stands in a broken kubeconfig', /is neither JSON nor YAML/, async () => {
    const path = await access.write('kubeconfig', `{ token: "${access.token}`);
    return node.netconf({ kubernetes: { kubeconfig: path } });
  });
  fails('the netconf is empty', /is empty/, async () => '');
  fails('the netconf is not JSON', /is not valid JSON/, async () => `{ "k8s_auth_token": "${access.token}`);
  fails('the netconf has no name', /"name"/, async () => ({
    cniVersion: '1.0.0',
    type: 'podwire',
    ipam: { type: 'host-local' },
  }));
});

describe('with CNI_COMMAND set, as in the suite of Calico’s plugin', () => {
  const environments = ['VERSION', 'ADD', 'DEL', 'STATUS', 'no such command'];
  it.each(environments)('%s: podwire -v prints the version', async (verb) => {
    for (const words of [['-v'], ['--v'], ['-v=true'], ['-t', '-v']]) {
      const { exitCode, stdout, stderr } = await runExecutable({ args: words, environment: { CNI_COMMAND: verb } });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain(`podwire ${PODWIRE_VERSION}\n`);
    }
  });

  it.each(environments)('%s: podwire -t tests the connection', async (verb) => {
    const call = { args: ['-t'], environment: { CNI_COMMAND: verb, CNI_NETNS: '/none', CNI_IFNAME: 'eth0' } };
    const answered = await runExecutable({ ...call, stdin: JSON.stringify(node.netconf()) });
    expect(answered).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/answers: v1\.\d+/), stderr: '' });
    const kubernetes = { kubeconfig: '/nowhere' };
    const failed = await runExecutable({ ...call, stdin: JSON.stringify(node.netconf({ kubernetes })) });
    expect(failed).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('/nowhere') });
  });
});

describe('alone in an empty folder, under another name', () => {
  let folder: string;
  let executable: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'podwire-alone-'));
    executable = join(folder, 'calico');
    await copyFile(EXECUTABLE, executable);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('it is the same CNI plugin for a netconf of any type, and writes nothing next to itself', async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, config: node.netconf({ type: 'calico' }) };
    const added = await node.run({ ...call, verb: 'ADD', executable });
    const removed = await node.run({ ...call, verb: 'DEL', executable });
    expect(added).toMatchObject({ exitCode: 0, answer: { interfaces: [{ name: pod.hostInterface }, {}] }, stderr: '' });
    expect(removed).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await readdir(folder)).toEqual(['calico']);
  });

  it('it has the same commands for people', async () => {
    const { exitCode, stdout, stderr } = await runExecutable({ args: ['-v'] });
    expect(await runExecutable({ args: ['-v'], executable, directory: folder })).toMatchObject({
      exitCode,
      stdout,
      stderr,
    });
  });
});

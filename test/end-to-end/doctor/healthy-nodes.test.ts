import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bindExecutable, readLoaderPath } from '../../../src/install/bind-executable.ts';
import { startDoctorNode, type DoctorNode, type DoctorPod } from '../../lab/doctor-node/doctor-node.ts';
import { member, memberText } from '../../lab/member.ts';
import { EXECUTABLE, runExecutable } from '../../lab/run-executable.ts';
import { tokenIn } from '../../support/installer/install-node.ts';

let node: DoctorNode;
let pod: DoctorPod;
beforeAll(async () => {
  node = await startDoctorNode();
  pod = await node.attach('web');
});
afterAll(() => node[Symbol.asyncDispose]());

const numbersIn = (answer: unknown, key: string): readonly string[] => {
  const list: unknown = member(answer, key);
  return Array.isArray(list) ? list.map((item: unknown) => memberText(item, 'id')) : [];
};

describe('doctor has no finding on a healthy node', () => {
  it('with one pod', async () => {
    const { exitCode, answer, stderr } = await node.podwire('doctor', '-o', 'json');
    expect({ exitCode, stderr, findings: numbersIn(answer, 'findings') }).toEqual({
      exitCode: 0,
      stderr: '',
      findings: [],
    });
    expect(numbersIn(answer, 'skipped')).toEqual(['PW701', 'PW801']); // no agent, and no credentials that may list Nodes
    expect(pod.added.exitCode).toBe(0);
  });

  it('--try attaches a sandbox, sends packets, and leaves nothing', async () => {
    const { exitCode, stdout } = await node.podwire('doctor', '--try', '--verbose');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /PW604 {2}a trial attachment worked: ADD in \d+ ms, CHECK, packets to\s+10\.71\.0\.\d+,\s+DEL/,
    );
    const { exitCode: after } = await node.podwire('doctor');
    expect(after).toBe(0);
  });

  it('with the bridge of another program', async () => {
    const path = join(node.configs, '87-podman-bridge.conflist');
    await writeFile(path, JSON.stringify({ cniVersion: '0.4.0', name: 'podman', plugins: [{ type: 'bridge' }] }));
    const { exitCode, answer } = await node.podwire('doctor', '-o', 'json');
    await rm(path);
    expect([exitCode, numbersIn(answer, 'findings')]).toEqual([0, []]);
  });
});

describe('doctor in the container of the DaemonSet', () => {
  let root = '';
  beforeAll(async () => {
    root = join(node.folder, 'host');
    const mounts = {
      'etc/cni/net.d': node.configs,
      'opt/cni/bin': node.programs,
      'var/lib/podwire': '/var/lib/podwire',
      'var/lib/cni': '/var/lib',
    };
    for (const [path, target] of Object.entries(mounts)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await symlink(target, join(root, path));
    }
    await mkdir(join(root, node.leases, '..'), { recursive: true });
    await symlink(node.leases, join(root, node.leases));
  });
  const { CONTAINER_RUNTIME_ENDPOINT: _, ...environment } = { CONTAINER_RUNTIME_ENDPOINT: '', LANG: 'C.UTF-8' };
  const doctor = (...args: readonly string[]) =>
    runExecutable({
      args: ['doctor', '--root', root, ...args],
      environment: { ...environment, CNI_NET_DIR: node.configs, CNI_BIN_DIR: node.programs },
    });

  it('has no finding, and says what it could not check from there', async () => {
    const { exitCode, answer } = await doctor('-o', 'json', '--try');
    expect([exitCode, numbersIn(answer, 'findings')]).toEqual([0, []]);
    expect(numbersIn(answer, 'skipped')).toEqual(['PW101', 'PW108', 'PW604', 'PW701', 'PW801', 'PW803']);
    expect(numbersIn(answer, 'passed')).toEqual(expect.arrayContaining(['PW103', 'PW305', 'PW401', 'PW601']));
  });

  it('does not miss the loader of podwire, which only the node has in its place', async () => {
    const path = join(node.programs, 'podwire');
    await rm(path);
    await copyFile(EXECUTABLE, path);
    await bindExecutable(path, '/opt/cni/bin/.own');
    const loader = join(node.programs, '.own', basename((await readLoaderPath(path)) ?? ''));
    const { findings: missing } = await numbersOf();
    expect(missing).toEqual(['PW104']);
    await mkdir(join(node.programs, '.own'));
    await writeFile(loader, '');
    expect((await numbersOf()).findings).toEqual([]);
    await rm(join(node.programs, '.own'), { recursive: true });
    await node.install();
  });
  const numbersOf = async () => {
    const { answer } = await doctor('-o', 'json');
    return { findings: numbersIn(answer, 'findings') };
  };

  it('names files as the node does', async () => {
    const { stdout } = await doctor('--verbose');
    expect(stdout).not.toContain(`${root}/etc`);
    expect(stdout).toContain('run this on');
  });
});

describe('doctor while the API server is down', () => {
  it('names it first, and checks everything else', async () => {
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    await writeFile(node.kubeconfigPath, kubeconfig.replace(node.cluster.server, 'https://127.0.0.1:1'));
    const { exitCode, answer, durationMs } = await node.podwire('doctor', '-o', 'json');
    await writeFile(node.kubeconfigPath, kubeconfig);
    expect([exitCode, numbersIn(answer, 'findings')]).toEqual([1, ['PW201']]);
    expect(numbersIn(answer, 'passed')).toEqual(expect.arrayContaining(['PW102', 'PW103', 'PW305', 'PW501', 'PW601']));
    expect(durationMs).toBeLessThan(20_000);
  });
});

describe('the command line', () => {
  it('exits with 0, 1 or 2, and prints help to stdout', async () => {
    const run = (...args: readonly string[]) => runExecutable({ args });
    expect(await run('--help')).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Usage: podwire/),
    });
    expect(await run('docter')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('Did you mean "doctor"?'),
    });
    expect(await run()).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await run('install', '--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--watch') });
  });

  it('-t accepts the file that is on the node', async () => {
    const stdin = await readFile(node.conflistPath);
    const tested = await runExecutable({ args: ['-t'], stdin, environment: node.environment });
    expect(tested).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringMatching(/^the API server answers: v1\.36/),
    });
    expect(tested.stdout).toContain('permitted to get pods, get nodes, patch pods/status');
    expect(tested.stdout).not.toContain(tokenIn(await readFile(node.kubeconfigPath, 'utf8')));
  });

  it('on a terminal -t tests the first configuration of the node, with colors', async () => {
    const args = ['--quiet', '--return', '--command', `${EXECUTABLE} -t`, '/dev/null'];
    const { exitCode, stdout } = await runExecutable({ executable: 'script', args, environment: node.environment });
    expect(stdout).toContain(`testing ${node.conflistPath}`);
    expect(stdout).toContain('\u001B[32m✓\u001B[39m PW201');
    expect(exitCode).toBe(0);
    const plain = await runExecutable({
      executable: 'script',
      args,
      environment: { ...node.environment, NO_COLOR: '1' },
    });
    expect(plain.stdout).not.toContain('\u001B[3');
  });

  it('the completion script is a valid one', async () => {
    const { stdout } = await runExecutable({ args: ['completion', 'bash'] });
    expect(await runExecutable({ executable: 'bash', args: ['-n'], stdin: stdout })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });
});

import { mkdtempDisposable, readdir, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { member, memberText } from '../lab/member.ts';
import { hostNamespace, makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { EXECUTABLE, runExecutable, type EndedExecutable } from '../lab/run-executable.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { until } from '../lab/until.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { applyDaemonSet, type DaemonSetPod } from '../support/kubelet/daemon-set.ts';
import { callInstalled } from './installed-plugin.ts';
import { type KubeletNode, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import type { RunPod } from '../support/kubelet/pods.ts';
import { parseManifest } from '../support/servers/manifest.ts';

// An administrator with kubectl alone: the commands run in the container "token" of the DaemonSet, through the kubelet.

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
const JOURNAL = '/var/lib/podwire/networks/k8s-pod-network';
const LEASES = '/var/lib/cni/networks/k8s-pod-network';

let node: KubeletNode;
let daemonSet: DaemonSetPod;
let web: RunPod;
let kubectlPath = '';
let adminPath = '';

beforeAll(async () => {
  kubectlPath = (await ensureTools(['kubectl'])).kubectl;
  // As systemd mounts it.
  await hostNamespace().exec('mount', '--make-rshared', '/run');
  node = await startKubeletNode();
  adminPath = '/run/podwire-admin.conf';
  const admin = node.cluster.kubeconfigWithClientCertificate({
    commonName: 'administrator',
    organizations: ['system:masters'],
  });
  await writeFile(adminPath, JSON.stringify(admin), { mode: 0o600 });
  daemonSet = await applyDaemonSet(node);
  web = await node.pods.serve('web');
});
afterAll(() => node[Symbol.asyncDispose]());

const kubectl = (...args: readonly string[]): Promise<EndedExecutable> =>
  runExecutable({ executable: kubectlPath, args: ['--kubeconfig', adminPath, '-n', 'kube-system', ...args] });
const exec = (...args: readonly string[]) => kubectl('exec', daemonSet.name, '-c', 'token', '--', 'podwire', ...args);
const idsIn = (answer: unknown, key: string): readonly string[] => {
  const list: unknown = member(answer, key);
  return Array.isArray(list) ? list.map((item: unknown) => memberText(item, 'id')) : [];
};

describe('podwire doctor through kubectl exec', () => {
  it('has no finding on a healthy node, and says what it could not check from there', async () => {
    const { exitCode, answer, stderr } = await exec('doctor', '-o', 'json');
    expect({ exitCode, stderr, findings: member(answer, 'findings') }).toEqual({
      exitCode: 0,
      stderr: '',
      findings: [],
    });
    expect(memberText(answer, 'node')).toBe(NODE);
    expect(idsIn(answer, 'passed')).toEqual(
      expect.arrayContaining(['PW102', 'PW103', 'PW109', 'PW201', 'PW305', 'PW401', 'PW404', 'PW501', 'PW601']),
    );
    expect(idsIn(answer, 'skipped')).toEqual(['PW101', 'PW108', 'PW508', 'PW701', 'PW801']);
  });

  it('fits into 80 columns', async () => {
    const { stdout } = await exec('doctor', '--verbose');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toMatch(/from a container\s+\(\/host\)/);
  });

  it('has its exit status, and names a fault of the node first', async () => {
    const host = hostNamespace();
    await host.ip('-4', 'route', 'del', 'default');
    const { exitCode, answer } = await exec('doctor', '-o', 'json');
    await host.ip('route', 'add', 'default', 'via', '192.0.2.1');
    expect([exitCode, idsIn(answer, 'findings')]).toEqual([1, ['PW501']]);
  });

  it('other commands work there, too', async () => {
    const [address] = await web.addresses();
    expect((await exec('get', 'attachments')).stdout).toContain('default/web');
    expect((await exec('get', 'leases')).stdout).toContain(address ?? 'no address');
    expect((await exec('explain', 'default/web')).stdout).toContain('default/web');
    expect(await exec('docter')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Did you mean "doctor"?'),
    });
  });

  it('doctor --node does it for the administrator', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'podwire-kubectl-'));
    const environment = { PATH: `${join(kubectlPath, '..')}:${process.env['PATH']}`, HOME: folder.path };
    const args = ['doctor', '--node', NODE, '--kubeconfig', adminPath, '-o', 'json'];
    const { exitCode, answer } = await runExecutable({ args, environment, executable: EXECUTABLE });
    expect([exitCode, idsIn(answer, 'findings')]).toEqual([0, []]);
  });
});

describe('install --watch with the component gc', () => {
  beforeAll(async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'podwire-overlay-'));
    const conf = relative(folder.path, CNI_CONF);
    const overlay = `resources: [${conf}/overlays/podcidr-routes]\ncomponents: [${conf}/components/gc]\n`;
    await writeFile(join(folder.path, 'kustomization.yaml'), overlay);
    await daemonSet.replace(parseManifest(await kustomize(folder.path)));
  });

  it('doctor then sees the runtime, too, and gc can be run there', async () => {
    const { exitCode, answer } = await exec('doctor', '-o', 'json');
    expect([exitCode, idsIn(answer, 'findings')]).toEqual([0, []]);
    expect(idsIn(answer, 'passed')).toContain('PW101');
    expect(await exec('gc', '--dry-run')).toMatchObject({
      exitCode: 0,
      stdout: 'Nothing is left over on this node.\n',
    });
  });

  it('releases what containerd has forgotten, and nothing else', async () => {
    const before = await node.state();
    await node.cluster.createPod('default', 'lost', { nodeName: NODE });
    const sandbox = await makeSandbox();
    const lost = { containerId: 'forgotten', pod: { namespace: 'default', name: 'lost' }, sandboxPath: sandbox.path };
    expect(await callInstalled('ADD', lost)).toMatchObject({ exitCode: 0 });
    await sandbox.remove();
    expect(await node.state()).not.toEqual(before);

    // What is younger than a minute may still be in the hands of the runtime.
    const earlier = new Date(Date.now() - 5 * 60_000);
    for (const folder of [JOURNAL, LEASES]) {
      for (const name of await readdir(folder)) await utimes(join(folder, name), earlier, earlier);
    }
    await daemonSet.replace();
    await until(
      'gc has released it',
      async () => (await daemonSet.tokenLog()).includes(' INFO gc: removed 1 attachment'),
      {
        deadlineMs: 60_000,
        explain: () => daemonSet.tokenLog(),
      },
    );
    expect(await node.state()).toEqual(before);
    const [ipv4] = await web.addresses();
    expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
    expect((await daemonSet.tokenLog()).split('\n').filter((line) => / (WARNING|ERROR) /.test(line))).toEqual([]);
    await node.pods.at('/api/v1/namespaces/default/pods/lost').delete();
  });

  it('its container has no other right than to change the network', async () => {
    const { stdout } = await kubectl(
      'get',
      'pod',
      daemonSet.name,
      '-o',
      'jsonpath={.spec.containers[0].securityContext}',
    );
    expect(JSON.parse(stdout)).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
    });
  });
});

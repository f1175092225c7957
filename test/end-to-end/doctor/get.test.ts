import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDoctorNode, type DoctorNode, type DoctorPod } from '../../lab/doctor-node/doctor-node.ts';
import { member, memberText } from '../../lab/member.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

let node: DoctorNode;
let web: DoctorPod;
beforeAll(async () => {
  node = await startDoctorNode();
  web = await node.attach('web');
  await node.cluster.createNode('node-2', { podCIDRs: ['10.74.0.0/24'] });
  await node.cluster.createNode('node-3');
  const annotations = { 'cni.projectcalico.org/podIPs': '10.74.0.9/32', 'cni.projectcalico.org/containerID': 'c9' };
  await node.cluster.createPod('other', 'api', { nodeName: 'node-2', annotations });
  await node.cluster.createPod('default', 'waiting', { nodeName: 'node-2' });
});
afterAll(() => node[Symbol.asyncDispose]());

const get = (...args: readonly string[]) => node.podwire('get', ...args);
const asAdmin = () => ['--kubeconfig', node.adminKubeconfigPath] as const;
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('podwire get workloadendpoints', () => {
  it('has the columns of calicoctl', async () => {
    const { exitCode, stdout, stderr } = await get('workloadendpoints', ...asAdmin());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(lines(stdout)).toEqual([
      ['WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE'],
      ['web', 'node-1', '10.71.0.2/32', web.hostInterface],
    ]);
  });

  it('of all namespaces, and with the state on this node', async () => {
    const { stdout } = await get('weps', '-A', '-o', 'wide', ...asAdmin());
    expect(lines(stdout)).toEqual([
      ['NAMESPACE', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE', 'CONTAINER', 'ON NODE'],
      ['default', 'web', 'node-1', '10.71.0.2/32', web.hostInterface, web.containerId, 'ok'],
      ['other', 'api', 'node-2', '10.74.0.9/32', expect.stringMatching(/^cali/), 'c9', '-'],
    ]);
  });

  it('names an interface that is missing on this node', async () => {
    const host = hostNamespace();
    await host.ip('route', 'del', '10.71.0.2/32');
    const { stdout } = await get('wep', '-o', 'wide', ...asAdmin());
    await host.ip('route', 'add', '10.71.0.2/32', 'dev', web.hostInterface, 'scope', 'link');
    expect(stdout).toMatch(/ no route$/m);
  });

  it('of one namespace or node, as names for other commands', async () => {
    expect((await get('weps', '-n', 'other', '-o', 'name', ...asAdmin())).stdout).toBe('other/api\n');
    expect((await get('weps', '-A', '--node', 'node-1', '-o', 'name', ...asAdmin())).stdout).toBe('default/web\n');
  });

  it('with a kubeconfig whose credentials come from a program', async () => {
    const admin: unknown = JSON.parse(await readFile(node.adminKubeconfigPath, 'utf8'));
    const [user]: readonly unknown[] = [member(admin, 'users')].flat();
    const decode = (key: string) => Buffer.from(memberText(user, 'user', key), 'base64').toString();
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { clientCertificateData: decode('client-certificate-data'), clientKeyData: decode('client-key-data') },
    };
    const script = join(node.folder, 'login');
    await writeFile(script, `#!/bin/sh\ncat <<'END'\n${JSON.stringify(credential)}\nEND\n`, { mode: 0o755 });
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: script, interactiveMode: 'Never' };
    const path = join(node.folder, 'exec.conf');
    const users = [{ name: memberText(user, 'name'), user: { exec } }];
    await writeFile(path, JSON.stringify({ ...(typeof admin === 'object' && admin), users }));
    expect(await get('weps', '-o', 'name', '--kubeconfig', path)).toMatchObject({
      exitCode: 0,
      stdout: 'default/web\n',
    });
  });

  it('without permission, the message is the API server’s', async () =>
    expect(await get('weps', '--kubeconfig', node.kubeconfigPath)).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/refused to read [^]*\(403\): [^]*cannot list resource/),
    }));
  it('without a kubeconfig it says so', async () =>
    expect(await get('weps', '--kubeconfig', '/none')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('/none cannot be used'),
    }));
  it('of an unknown resource the command line is wrong', async () =>
    expect(await get('pods')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Allowed choices are workloadendpoints'),
    }));
});

describe('podwire get', () => {
  it('podcidrs of all nodes, with the route from here', async () => {
    const { stdout } = await get('podcidrs', ...asAdmin());
    expect(lines(stdout)).toEqual([
      ['NODE', 'PODCIDR', 'PODCIDR IPV6', 'LEASES', 'ROUTE FROM HERE'],
      ['node-1', '10.71.0.0/24', '-', '1/253', '(this node)'],
      ['node-2', '10.74.0.0/24', '-', '-', 'MISSING'],
      ['node-3', '-', '-', '-', 'no podCIDR'],
    ]);
  });

  it('leases of this node', async () => {
    const { stdout } = await get('leases');
    expect(stdout).toMatch(
      /^ADDRESS +CONTAINER +POD +AGE +STATE\n10\.71\.0\.2 +web-00000000 +default\/web +\d+ s +in use\n\n10\.71\.0\.0\/24: 1 of 253 leased\.\n$/,
    );
  });

  it('attachments of this node, as JSON and YAML, without a secret', async () => {
    const { answer, stdout } = await get('attachments', '-o', 'json');
    expect(answer).toMatchObject({
      schema: 1,
      kind: 'attachments',
      items: [{ pod: 'default/web', state: 'ok', stage: 'attached' }],
    });
    expect(stdout).not.toMatch(/eyJ[\w-]{20}/);
    expect((await get('attachments', '-o', 'yaml')).stdout).toContain(
      'kind: attachments\nitems:\n  - pod: default/web\n',
    );
  });
});

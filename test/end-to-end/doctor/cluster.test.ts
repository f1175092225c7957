import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { startDoctorNode, type DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { runExecutable } from '../../lab/run-executable.ts';

const SCHEMA: object = JSON.parse(readFileSync(join(import.meta.dirname, '../../../docs/doctor.schema.json'), 'utf8'));

let node: DoctorNode;
beforeAll(async () => {
  node = await startDoctorNode();
  await node.cluster.createNode('node-2');
  const { admin } = node.cluster;
  await admin
    .create('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'default' } })
    .catch(() => undefined);
  await admin.create('/api/v1/namespaces/kube-system/pods', {
    metadata: { name: 'podwire-7xk2f', labels: { 'app.kubernetes.io/name': 'podwire' } },
    spec: { nodeName: 'node-1', containers: [{ name: 'token', image: 'podwire:0.1.0' }] },
  });
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  await admin.patch('/api/v1/namespaces/kube-system/pods/podwire-7xk2f/status', { status });
  await admin.patch('/api/v1/nodes/node-1/status', { status });
});
afterAll(() => node[Symbol.asyncDispose]());

const doctor = (...args: readonly string[]) =>
  node.podwire('doctor', ...args, '--kubeconfig', node.adminKubeconfigPath);

describe('podwire doctor --cluster', () => {
  it('shows every node in one line, and what is wrong in the cluster', async () => {
    const { exitCode, stdout, stderr } = await doctor('--cluster');
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(stdout).toMatch(
      /^NODE +PODWIRE +STATE +PODCIDR +FINDING\nnode-1 +0\.1\.0 +Ready +10\.71\.0\.0\/24 +-\nnode-2 +- +NotReady +- +PW301 PW902\n/,
    );
    expect(stdout).toContain('✗ PW301  1 of 2 nodes have no podCIDR.');
    expect(stdout).toContain('✗ PW902  podwire is not ready on 1 of 2 nodes.');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('has the schema of doctor as JSON', async () => {
    const { answer } = await doctor('--cluster', '-o', 'json');
    const validate = new Ajv({ strict: true }).compile(SCHEMA);
    expect([validate(answer), validate.errors]).toEqual([true, null]);
    expect(answer).toMatchObject({
      verdict: 'fail',
      nodes: [{ name: 'node-1', findings: [] }, { findings: ['PW301', 'PW902'] }],
    });
  });

  it('--pre names another network, before podwire is installed', async () => {
    const template = { metadata: { labels: { app: 'c' } }, spec: { containers: [{ name: 'c', image: 'c' }] } };
    await node.cluster.admin.create('/apis/apps/v1/namespaces/kube-system/daemonsets', {
      metadata: { name: 'cilium' },
      spec: { selector: { matchLabels: { app: 'c' } }, template },
    });
    const { exitCode, stdout } = await doctor('--cluster', '--pre');
    await node.cluster.admin.delete('/apis/apps/v1/namespaces/kube-system/daemonsets/cilium');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ PW905  Another pod network is installed.');
    expect(stdout).not.toContain('PW901');
  });

  it('--pre alone is a wrong command line', async () =>
    expect(await doctor('--pre')).toMatchObject({
      exitCode: 2,
      stderr: 'podwire: --pre needs --cluster\nSee "podwire --help".\n',
    }));
});

describe('podwire doctor --node', () => {
  it('runs doctor in the podwire pod of the node with kubectl, and has its exit status', async () => {
    const folder = join(node.folder, 'programs');
    await mkdir(folder);
    await writeFile(join(folder, 'kubectl'), '#!/bin/sh\necho "$@"\nexit 1\n');
    await chmod(join(folder, 'kubectl'), 0o755);
    const environment = { ...node.environment, PATH: `${folder}:${process.env['PATH']}` };
    const run = (...args: readonly string[]) =>
      runExecutable({ args: ['doctor', ...args, '--kubeconfig', node.adminKubeconfigPath], environment });
    expect(await run('--node', 'node-1', '--verbose')).toMatchObject({
      exitCode: 1,
      stdout: `--kubeconfig ${node.adminKubeconfigPath} -n kube-system exec podwire-7xk2f -c token -- /opt/cni/bin/podwire doctor -o table --verbose\n`,
    });
    expect(await run('--node', 'node-2')).toMatchObject({
      exitCode: 1,
      stderr: 'podwire: node node-2 has no pod of podwire\n',
    });
    expect(await run('--node', 'node-9')).toMatchObject({
      exitCode: 1,
      stderr: 'podwire: the cluster has no node node-9\n',
    });
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../src/json/json.ts';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { makeServerProcesses, type ServerProcesses } from '../lab/api-server/server-process.ts';
import { member, memberText } from '../lab/member.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { until } from '../lab/until.ts';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';

// The real scheduler decides where the pods of DaemonSets may run. The test creates them as the controller of DaemonSets does:
// each with an affinity to its node.

const PODS = '/api/v1/namespaces/kube-system/pods';
const NODES = ['node-1', 'node-2'] as const;

let cluster: Cluster;
let scheduler: ServerProcesses;
let folder: string;
beforeAll(async () => {
  cluster = await startCluster();
  const { admin } = cluster;
  for (const name of NODES) {
    await cluster.createNode(name);
    const status = {
      allocatable: { cpu: '8', memory: '8Gi', pods: '110' },
      capacity: { cpu: '8', memory: '8Gi', pods: '110' },
    };
    await admin.request('PATCH', `/api/v1/nodes/${name}/status`, { status }, 'application/merge-patch+json');
  }
  for (const file of ['cni-conf/rbac.yaml', 'cni-conf/rendered/bgp.yaml', 'cni-conf/rendered/uninstall.yaml'])
    await applyManifest(admin, readManifest(file), 'keep');
  folder = await mkdtemp(join(tmpdir(), 'podwire-scheduler-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const administrator = { commonName: 'system:kube-scheduler', organizations: ['system:masters'] };
  await writeFile(kubeconfig, JSON.stringify(cluster.kubeconfigWithClientCertificate(administrator)), { mode: 0o600 });
  const tools = await ensureTools(['kube-scheduler']);
  scheduler = await makeServerProcesses('podwire-scheduler-');
  await scheduler.start('kube-scheduler', tools['kube-scheduler'], [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
  ]);
});
afterAll(async () => {
  await scheduler[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
  await cluster[Symbol.asyncDispose]();
});

/** Creates the pod of a DaemonSet of a manifest for a node. */
async function placeDaemonPod(file: string, daemonSet: string, node: string): Promise<void> {
  const object = readManifest(file).find(
    ({ kind, metadata }) => kind === 'DaemonSet' && memberText(metadata, 'name') === daemonSet,
  );
  const template = member(object, 'spec', 'template');
  const spec = member(template, 'spec');
  if (!isJsonObject(spec)) throw new Error(`${file} has no ${daemonSet}`);
  const { affinity } = spec;
  const toNode = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] };
  await cluster.admin.create(PODS, {
    metadata: { name: `${daemonSet}-${node}`, labels: member(template, 'metadata', 'labels') },
    spec: {
      ...spec,
      affinity: {
        ...(isJsonObject(affinity ?? null) && Object(affinity)),
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [toNode] } },
      },
    },
  });
}

/** Waits for the decision of the scheduler: the node's name, or why it has chosen none. */
async function decision(name: string): Promise<string> {
  let decided = '';
  await until(`the scheduler has decided about ${name}`, async () => {
    const pod = await cluster.admin.get(`${PODS}/${name}`);
    const conditions: unknown = member(pod, 'status', 'conditions');
    const refused = Array.isArray(conditions)
      ? conditions.find((condition: unknown) => member(condition, 'type') === 'PodScheduled')
      : undefined;
    const node: unknown = member(pod, 'spec', 'nodeName');
    decided = typeof node === 'string' ? node : refused === undefined ? '' : memberText(refused, 'message');
    return decided !== '';
  });
  return decided;
}

describe('the agent of podwire', () => {
  it('never starts on a node where Calico’s own agent runs, in whatever namespace that is', async () => {
    await cluster.createPod('calico-system', 'calico-node-abcde', {
      nodeName: 'node-1',
      labels: { 'k8s-app': 'calico-node' },
    });
    for (const node of NODES) await placeDaemonPod('cni-conf/rendered/bgp.yaml', 'podwire-agent', node);
    expect(await decision('podwire-agent-node-2')).toBe('node-2');
    expect(await decision('podwire-agent-node-1')).toContain("didn't match pod anti-affinity rules");
  });
});

describe('the pod that uninstalls podwire', () => {
  it('waits until the installer’s pod is gone, which would install it again', async () => {
    await placeDaemonPod('cni-conf/rendered/bgp.yaml', 'podwire', 'node-2');
    expect(await decision('podwire-node-2')).toBe('node-2');
    await placeDaemonPod('cni-conf/rendered/uninstall.yaml', 'podwire-uninstall', 'node-2');
    expect(await decision('podwire-uninstall-node-2')).toContain('anti-affinity');
    await cluster.admin.delete(`${PODS}/podwire-node-2?gracePeriodSeconds=0`);
    await until('it is scheduled', async () => (await decision('podwire-uninstall-node-2')) === 'node-2', {
      deadlineMs: 60_000,
    });
  });
});

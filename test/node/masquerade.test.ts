import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { member } from '../lab/member.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { until } from '../lab/until.ts';
import { type KubeletNode, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { phaseOf, restartsOf, type RunPod } from '../support/kubelet/pods.ts';
import { BUSYBOX_IMAGE } from '../support/kubelet/runtime.ts';
import { applyManifest, parseManifest } from '../support/servers/manifest.ts';

// The pod of the component `masquerade` on a real kubelet, with its own security settings and probe. Its image cannot be fetched
// here: the container sees the node's nft instead.

const PODS = '/api/v1/namespaces/kube-system/pods';
const PROGRAMS = ['/usr', '/lib', '/lib64'];

let node: KubeletNode;
let pod: RunPod;
let folder: string;
beforeAll(async () => {
  node = await startKubeletNode();
  folder = await mkdtemp(join(tmpdir(), 'podwire-masquerade-'));
  pod = await placePod(await render());
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await node[Symbol.asyncDispose]();
});

async function render(): Promise<readonly JsonObject[]> {
  const conf = relative(folder, join(import.meta.dirname, '../../cni-conf'));
  const text = `resources: [${conf}/overlays/podcidr-routes]\ncomponents: [${conf}/components/masquerade]\n`;
  await writeFile(join(folder, 'kustomization.yaml'), text);
  const objects = parseManifest(await kustomize(folder));
  return objects.filter((object) => JSON.stringify(object['metadata']).includes('"podwire-masquerade'));
}

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);

async function placePod(objects: readonly JsonObject[]): Promise<RunPod> {
  const { admin } = node.cluster;
  await applyManifest(admin, objects, 'keep');
  await admin.create('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'default' } });
  const spec = member(
    objects.find(({ kind }) => kind === 'DaemonSet'),
    'spec',
    'template',
    'spec',
  );
  if (!isJsonObject(spec)) throw new Error('the component has no DaemonSet');
  const adapt = (containers: unknown) =>
    listOf(containers).map((container) => ({
      ...container,
      image: BUSYBOX_IMAGE,
      imagePullPolicy: 'Never',
      env: [{ name: 'PATH', value: '/usr/sbin' }],
      volumeMounts: [
        ...listOf(container['volumeMounts']),
        ...PROGRAMS.map((path) => ({ name: path.slice(1), mountPath: path, readOnly: true })),
      ],
      ...('livenessProbe' in container && {
        livenessProbe: { ...Object(container['livenessProbe']), periodSeconds: 1 },
      }),
    }));
  await admin.create(PODS, {
    metadata: { name: 'podwire-masquerade' },
    spec: {
      ...spec,
      nodeName: 'node-1',
      initContainers: adapt(spec['initContainers']),
      containers: adapt(spec['containers']),
      volumes: [...listOf(spec['volumes']), ...PROGRAMS.map((path) => ({ name: path.slice(1), hostPath: { path } }))],
    },
  });
  const placed = node.pods.at(`${PODS}/podwire-masquerade`);
  await placed.until('runs', (state) => phaseOf(state) === 'Running');
  return placed;
}

const nft = (...args: readonly string[]) => hostNamespace().exec('nft', ...args);

it('its init container has made the table on the node, with NET_ADMIN alone', async () => {
  const table = await nft('list', 'table', 'inet', 'podwire_masquerade');
  expect(table).toContain('ip saddr @pods_ipv4 ip daddr != @unchanged_ipv4 masquerade random');
  expect(table).toContain('ip6 saddr @pods_ipv6 ip6 daddr != @unchanged_ipv6 masquerade random');
});

it('its probe makes the table again after another program has flushed it, and the container keeps running', async () => {
  await nft('flush', 'ruleset');
  await until('the table is back', async () => (await nft('list', 'tables')).includes('inet podwire_masquerade'), {
    deadlineMs: 60_000,
  });
  const state = await pod.read();
  expect([phaseOf(state), restartsOf(state)]).toEqual(['Running', 0]);
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OVERLAYS } from '../../build/render-overlay.ts';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { member, memberText } from '../lab/member.ts';
import { makeKubectl, type Kubectl } from '../lab/api-server/kubectl.ts';
import { readManifest } from '../support/servers/manifest.ts';

// A cluster that has Calico: nothing that docs/install.md makes an administrator apply or delete may change an object of it.

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
const COMPONENTS = ['dual-stack', 'ipv6-only', 'cni-1.0', 'typha', 'masquerade', 'masquerade-agent'] as const;
const CRDS = 'cni-conf/rendered/agent-crds.yaml';
const GROUP = 'crd.projectcalico.org';

const KINDS =
  `BGPConfiguration BGPFilter BGPPeer BlockAffinity CalicoNodeStatus ClusterInformation FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPAMBlock IPAMConfig IPAMHandle IPPool IPReservation KubeControllersConfiguration NetworkPolicy NetworkSet StagedGlobalNetworkPolicy StagedKubernetesNetworkPolicy StagedNetworkPolicy Tier`.split(
    /\s+/,
  );
const pluralOf = (kind: string) =>
  kind
    .toLowerCase()
    .replace(/y$/, 'ie')
    .replace(/(s|sh|ch)$/, '$1e')
    .concat('s');

/** A custom resource with a schema. */
function resourceOf(kind: string, group: string, version: string): JsonObject {
  const plural = pluralOf(kind);
  const spec = {
    type: 'object',
    properties: { order: { type: 'integer' }, natOutgoing: { type: 'boolean' } },
    'x-kubernetes-preserve-unknown-fields': true,
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: group.endsWith('k8s.io') ? { 'api-approved.kubernetes.io': 'https://example.org/1' } : {},
    },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: 'Cluster',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  };
}

/** Objects with the names of Calico's manifests, with contents of this test. */
function calicoObjects(minor: number): readonly JsonObject[] {
  const inSystem = (name: string) => ({ name, namespace: 'kube-system' });
  const policyKinds = minor === 31 ? ['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy'] : ['ClusterNetworkPolicy'];
  const template = {
    metadata: { labels: { 'k8s-app': 'calico' } },
    spec: { hostNetwork: true, containers: [{ name: 'calico', image: `quay.io/calico/node:v3.${minor}.0` }] },
  };
  const workload = { selector: { matchLabels: { 'k8s-app': 'calico' } }, template };
  const role = (name: string): JsonObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name },
    rules: [
      {
        apiGroups: [''],
        resources: ['serviceaccounts/token'],
        resourceNames: ['calico-cni-plugin'],
        verbs: ['create'],
      },
      { apiGroups: [GROUP], resources: ['tiers'], verbs: ['create', 'get'] },
    ],
  });
  const binding = (name: string): JsonObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...inSystem(name) }],
  });
  const roles = ['calico-kube-controllers', 'calico-node', 'calico-cni-plugin', 'calico-tier-getter'];
  return [
    ...KINDS.map((kind) => resourceOf(kind, GROUP, 'v1')),
    ...policyKinds.map((kind) => resourceOf(kind, 'policy.networking.k8s.io', 'v1alpha1')),
    ...['calico-kube-controllers', 'calico-node', 'calico-cni-plugin'].map((name) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: inSystem(name),
    })),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: inSystem('calico-config'), data: { calico_backend: 'bird' } },
    ...roles.map(role),
    ...roles.map(binding),
    { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: inSystem('calico-node'), spec: workload },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: inSystem('calico-kube-controllers'), spec: workload },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: inSystem('calico-typha'), spec: workload },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: inSystem('calico-typha'),
      spec: { selector: { 'k8s-app': 'calico-typha' }, ports: [{ port: 5473 }] },
    },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: inSystem('calico-typha'),
      spec: { maxUnavailable: 1, selector: { matchLabels: { 'k8s-app': 'calico-typha' } } },
    },
  ];
}

const POLICY = {
  apiVersion: `${GROUP}/v1`,
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'deny' },
  spec: { order: 1 },
};

// 3.32 has the names of 3.33.
describe.each([31, 33])('a cluster with Calico 3.%i', (minor) => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  let overlay: string;
  let before: readonly unknown[];
  const objects = [...calicoObjects(minor), POLICY];

  /** What is stored, without the conditions that a controller adds later. */
  const snapshot = async (): Promise<readonly unknown[]> => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const items: unknown = member(JSON.parse(await kubectl.succeed(['get', '-f', '-', '-o', 'json'], input)), 'items');
    return (Array.isArray(items) ? items : []).map((item: unknown) => {
      if (!isJsonObject(item)) throw new Error('not an object');
      const { status: _status, metadata, ...rest } = item;
      const {
        resourceVersion: _version,
        managedFields: _fields,
        ...kept
      } = isJsonObject(metadata ?? null) ? Object(metadata) : {};
      return { ...rest, metadata: kept };
    });
  };

  beforeAll(async () => {
    cluster = await startCluster();
    kubectl = await makeKubectl(cluster);
    await kubectl.succeed(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: calicoObjects(minor) }),
    );
    await kubectl.succeed(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    await kubectl.succeed(['apply', '-f', '-'], JSON.stringify(POLICY));
    overlay = await mkdtemp(join(tmpdir(), 'podwire-overlay-'));
    before = await snapshot();
  });
  afterAll(async () => {
    await rm(overlay, { recursive: true, force: true });
    await kubectl[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  it('has all that the test compares', () => expect(before.length).toBe(objects.length));

  it('its custom resources are the ones that agent-crds.yaml has, so that the guard is what protects them', () => {
    const own = readManifest(CRDS).map((object) => memberText(object['metadata'], 'name'));
    const theirs = objects.flatMap((object) =>
      object['kind'] === 'CustomResourceDefinition' ? [memberText(object['metadata'], 'name')] : [],
    );
    const shared = own.filter((name) => theirs.includes(name));
    expect(shared.length).toBe(minor === 31 ? KINDS.length : own.length);
  });

  it.each([
    ['create', ['create', '-f', CRDS], 'AlreadyExists'],
    ['apply', ['apply', '-f', CRDS], 'metadata.uid'],
    ['apply by the server', ['apply', '--server-side', '--force-conflicts', '-f', CRDS], 'uid'],
    ['replace', ['replace', '-f', CRDS], 'UID'],
  ])('kubectl %s of agent-crds.yaml fails and changes no resource', async (_, args, reason) => {
    const { exitCode, stderr } = await kubectl.run(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(reason) });
    expect(await snapshot()).toEqual(before);
  });

  it.each(['cni-conf/rbac.yaml', ...[...OVERLAYS, 'uninstall'].map((name) => `cni-conf/rendered/${name}.yaml`)])(
    'applying %s changes no object of Calico, and neither does deleting it',
    async (file) => {
      await kubectl.succeed(['apply', '-f', file]);
      expect(await snapshot()).toEqual(before);
      await kubectl.succeed(['delete', '-f', file, '--wait=false']);
      expect(await snapshot()).toEqual(before);
      await kubectl.succeed(['apply', '--server-side', '--force-conflicts', '-f', file]);
      expect(await snapshot()).toEqual(before);
    },
  );

  it.each(OVERLAYS)('applying %s with every component for it changes no object of Calico', async (name) => {
    const conf = relative(overlay, CNI_CONF);
    const components = COMPONENTS.filter((component) => name !== 'podcidr-routes' || component !== 'typha');
    const lines = [
      `resources: [${conf}/overlays/${name}]`,
      'components:',
      ...components.map((c) => `  - ${conf}/components/${c}`),
    ];
    await writeFile(join(overlay, 'kustomization.yaml'), lines.join('\n'));
    await kubectl.succeed(['apply', '-k', overlay]);
    expect(await snapshot()).toEqual(before);
  });
});

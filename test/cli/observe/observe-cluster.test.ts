import { expect, it } from 'vitest';
import { formatCidr } from '../../../src/address/cidr.ts';
import { observeCluster } from '../../../src/cli/observe/observe-cluster.ts';
import type { PersonApi } from '../../../src/cli/person-api.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };
const LISTS: Readonly<Record<string, readonly object[]>> = {
  '/api/v1/nodes': [
    { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }, status: READY },
    { metadata: { name: 'n2' }, spec: { podCIDR: '10.0.1.0/24' }, status: {} },
  ],
  '/api/v1/namespaces/kube-system/pods': [
    { metadata: { name: 'other' }, spec: { nodeName: 'n1' } },
    {
      metadata: { name: 'podwire-a', labels: { 'app.kubernetes.io/name': 'podwire' } },
      spec: { nodeName: 'n1', containers: [{ image: 'registry.example:5000/podwire:0.1.0@sha256:00' }] },
      status: READY,
    },
    {
      metadata: { name: 'podwire-b', labels: { 'app.kubernetes.io/name': 'podwire' } },
      spec: { nodeName: 'n2', containers: [{ image: 'podwire' }] },
      status: { initContainerStatuses: [{ name: 'install', state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
    },
  ],
  '/apis/apps/v1/daemonsets': [
    { metadata: { namespace: 'kube-system', name: 'cilium' } },
    { metadata: { namespace: 'x', name: 'logs' } },
    {
      metadata: { namespace: 'kube-system', name: 'podwire' },
      spec: {
        template: {
          spec: { containers: [{ name: 'token', command: ['/podwire', 'install', '--watch', '--as-calico'] }] },
        },
      },
    },
    {
      metadata: { namespace: 'calico-system', name: 'agent' },
      spec: {
        template: { spec: { containers: [{ name: 'node', env: [{ name: 'CALICO_MANAGE_CNI', value: 'true' }] }] } },
      },
    },
  ],
  [`${RBAC}/clusterrolebindings`]: [
    { roleRef: { name: 'podwire' }, subjects: [{ kind: 'ServiceAccount', name: 'podwire' }] },
  ],
};
const OBJECTS: Readonly<Record<string, object>> = {
  '/version': { gitVersion: 'v1.36.3' },
  '/apis/networking.k8s.io/v1/servicecidrs': { items: [{ spec: { cidrs: ['10.96.0.0/12'] } }] },
  '/api/v1/namespaces/default/services/kubernetes': { spec: { clusterIPs: ['10.96.0.1', 'fd00:1::1'] } },
  [`${RBAC}/clusterroles/podwire`]: { rules: [{ verbs: ['get'], resources: ['pods', 'nodes'] }] },
};
const API: PersonApi = {
  server: 'https://a',
  list: async (path) => LISTS[path] ?? [],
  read: async (path) => OBJECTS[path],
};

it('reads nodes, the podwire pods on them, permissions and other networks', async () => {
  const { nodes, serviceCidrs, ...rest } = await observeCluster(API);
  expect(serviceCidrs.map(formatCidr)).toEqual(['10.96.0.0/12', '10.96.0.1/32', 'fd00:1::1/128']);
  expect(rest).toEqual({
    version: 'v1.36.3',
    granted: ['get pods', 'get nodes'],
    isBound: true,
    hasAdmissionPolicy: false,
    otherNetworks: ['kube-system/cilium'],
    conflicts: [],
    tokenWriters: ['container token of DaemonSet podwire', 'container node of DaemonSet agent'],
  });
  expect(nodes.map(({ podCidrs, ...node }) => ({ ...node, podCidrs: podCidrs.map(formatCidr) }))).toEqual([
    {
      name: 'n1',
      isReady: true,
      podCidrs: ['10.0.0.0/24', 'fd00::/64'],
      podwire: { name: 'podwire-a', version: '0.1.0', isReady: true, problem: undefined },
    },
    {
      name: 'n2',
      isReady: false,
      podCidrs: ['10.0.1.0/24'],
      podwire: { name: 'podwire-b', version: 'unknown', isReady: false, problem: 'install: CrashLoopBackOff' },
    },
  ]);
});

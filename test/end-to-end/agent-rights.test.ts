import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OVERLAYS } from '../../build/render-overlay.ts';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { member, memberText } from '../lab/member.ts';
import { makeKubectl, type Kubectl } from '../lab/api-server/kubectl.ts';

// A cluster that never had Calico, with the commands of docs/install.md for the options that bring the agent.

const AGENT = 'system:serviceaccount:kube-system:podwire-agent';
const GROUP = 'crd.projectcalico.org';

let cluster: Cluster;
let kubectl: Kubectl;
beforeAll(async () => {
  cluster = await startCluster();
  kubectl = await makeKubectl(cluster);
  await kubectl.succeed(['apply', '-f', 'cni-conf/rbac.yaml']);
  await kubectl.succeed(['create', '-f', 'cni-conf/rendered/agent-crds.yaml']);
  await kubectl.succeed(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await kubectl.succeed(['apply', '-f', 'cni-conf/rendered/bgp.yaml']);
});
afterAll(async () => {
  await kubectl[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function isAllowed(verb: string, group: string, resource: string): Promise<boolean> {
  const [name = '', subresource = ''] = resource.split('/');
  const review = await cluster.admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    spec: {
      user: AGENT,
      groups: ['system:authenticated'],
      resourceAttributes: { verb, group, resource: name, subresource },
    },
  });
  return member(review, 'status', 'allowed') === true;
}

// What calico-node 3.33 does when it starts and while it runs with the datastore of Kubernetes, by its own role.
const WATCHED =
  `felixconfigurations bgppeers bgpfilters bgpconfigurations ippools ipreservations ipamblocks globalnetworkpolicies
  stagedglobalnetworkpolicies networkpolicies stagednetworkpolicies stagedkubernetesnetworkpolicies globalnetworksets networksets
  clusterinformations hostendpoints blockaffinities caliconodestatuses tiers`.split(/\s+/);
const NEEDED: readonly [verbs: string, group: string, resources: readonly string[]][] = [
  ['get list watch', GROUP, WATCHED],
  ['get list watch', 'projectcalico.org', WATCHED],
  ['create', GROUP, ['tiers']],
  ['create update', GROUP, ['ippools', 'felixconfigurations', 'bgpconfigurations', 'clusterinformations', 'bgppeers']],
  ['update', GROUP, ['caliconodestatuses']],
  ['get list create update delete', GROUP, ['blockaffinities', 'ipamblocks', 'ipamhandles']],
  ['get create', GROUP, ['ipamconfigs']],
  ['get list watch', '', ['nodes', 'pods', 'namespaces', 'services', 'endpoints']],
  ['list watch', '', ['serviceaccounts']],
  ['get', '', ['configmaps']],
  ['patch update', '', ['nodes/status']],
  ['list watch', 'discovery.k8s.io', ['endpointslices']],
  ['list watch', 'networking.k8s.io', ['networkpolicies']],
  ['list watch', 'policy.networking.k8s.io', ['clusternetworkpolicies']],
  ['get', 'apps', ['daemonsets']],
];

describe('the account of the agent', () => {
  it.each(NEEDED)('is permitted to %s in the group "%s": %j', async (verbs, group, resources) => {
    for (const resource of resources)
      for (const verb of verbs.split(' '))
        expect({ resource, verb, allowed: await isAllowed(verb, group, resource) }).toEqual({
          resource,
          verb,
          allowed: true,
        });
  });

  it.each([
    ['create', '', 'serviceaccounts/token'],
    ['patch', '', 'pods/status'],
    ['get', '', 'secrets'],
    ['patch', '', 'nodes'],
    ['delete', GROUP, 'globalnetworkpolicies'],
  ])('is not permitted to %s in the group "%s": %s', async (verb, group, resource) =>
    expect(await isAllowed(verb, group, resource)).toBe(false),
  );
});

describe('the custom resources', () => {
  it('have uids that the API server has assigned', async () => {
    const list: unknown = member(
      await cluster.admin.get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions'),
      'items',
    );
    const uids = (Array.isArray(list) ? list : []).map((item: unknown) => memberText(member(item, 'metadata'), 'uid'));
    expect(uids).toHaveLength(23);
    expect(uids.filter((uid) => uid.startsWith('00000000'))).toEqual([]);
  });

  it('accept the IP pools of the component masquerade-agent', async () => {
    await kubectl.succeed(['apply', '-f', 'cni-conf/components/masquerade-agent/pools.yaml']);
    const pool = await cluster.admin.get(`/apis/${GROUP}/v1/ippools/podwire-ipv6`);
    expect(member(pool, 'spec')).toMatchObject({
      natOutgoing: true,
      disabled: true,
      ipipMode: 'Never',
      vxlanMode: 'Never',
    });
  });
});

it.each(OVERLAYS)('after %s was deleted, policies and custom resources are still there', async (overlay) => {
  const policy = {
    apiVersion: `${GROUP}/v1`,
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'deny' },
    spec: { order: 1 },
  };
  await kubectl.succeed(['apply', '-f', '-'], JSON.stringify(policy));
  await kubectl.succeed(['apply', '-f', `cni-conf/rendered/${overlay}.yaml`]);
  await kubectl.succeed(['delete', '--wait=false', '-f', `cni-conf/rendered/${overlay}.yaml`]);
  expect(await kubectl.succeed(['get', `globalnetworkpolicies.${GROUP}`, '-o', 'name'])).toContain('/deny');
});

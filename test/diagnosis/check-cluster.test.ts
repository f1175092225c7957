import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { checkBeforeInstall, checkCluster, numbersOf } from '../../src/diagnosis/check-cluster.ts';
import type { ClusterNode, ClusterState } from '../../src/diagnosis/cluster-facts.ts';

const node = (name: string, podCidr: string, overrides: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  isReady: true,
  podCidrs: podCidr === '' ? [] : [parseCidr(podCidr)],
  podwire: { name: `podwire-${name}`, version: '0.1.0', isReady: true, problem: undefined },
  ...overrides,
});
const state = (overrides: Partial<ClusterState> = {}): ClusterState => ({
  version: 'v1.36.3',
  nodes: [node('n1', '10.0.0.0/24'), node('n2', '10.0.1.0/24')],
  granted: ['get pods', 'get nodes', 'patch pods/status'],
  isBound: true,
  hasAdmissionPolicy: true,
  otherNetworks: [],
  conflicts: [],
  serviceCidrs: [parseCidr('10.96.0.0/12'), parseCidr('10.96.0.1/32')],
  tokenWriters: ['container calico-node of DaemonSet calico-node'],
  ...overrides,
});
const problems = (overrides: Partial<ClusterState>, check = checkCluster) =>
  check(state(overrides)).filter(({ outcome }) => outcome !== 'ok');

describe('checkCluster', () => {
  const finds = (what: string, overrides: Partial<ClusterState>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy cluster has no finding', {});
  finds('an old API server', { version: 'v1.30.9' }, { number: 'PW904' });
  finds('an API server of the next major version', { version: 'v2.0.0' });
  finds('no role', { granted: undefined }, { number: 'PW901', fix: ['kubectl apply -f cni-conf/rbac.yaml'] });
  finds(
    'a role that grants too little',
    { granted: ['get pods'] },
    { number: 'PW901', summary: expect.stringContaining('get nodes, patch pods/status') },
  );
  finds('a role that is not bound', { isBound: false }, { number: 'PW901' });
  finds('a node without podwire', { nodes: [node('n1', '10.0.0.0/24', { podwire: undefined })] }, { number: 'PW902' });
  finds(
    'a node without a podCIDR',
    { nodes: [node('n1', '10.0.0.0/24'), node('n2', '')] },
    { number: 'PW301', fix: [expect.stringMatching(/^kubectl patch node n2 .*10\.0\.1\.0\/24/)] },
  );
  it('names the nodes that hold a podCIDR and may not exist any more', () =>
    expect(
      problems({ nodes: [node('old', '10.0.0.0/24', { isReady: false }), node('n2', '')] }).find(
        ({ number }) => number === 'PW301',
      )?.evidence,
    ).toContainEqual(['not ready', expect.stringMatching(/^old: .*kubectl delete node/)]));
  finds(
    'a network of Services in which pods are',
    { serviceCidrs: [parseCidr('10.0.0.0/8')] },
    { number: 'PW303', evidence: [['Services', '10.0.0.0/8, n1 has 10.0.0.0/24'], expect.anything()] },
  );
  finds(
    'two writers of one kubeconfig',
    { tokenWriters: ['container calico-node of DaemonSet calico-node', 'container token of DaemonSet podwire'] },
    { number: 'PW406', fix: ['kubectl -n kube-system set env daemonset/calico-node CALICO_MANAGE_CNI=false'] },
  );
  finds(
    'overlapping podCIDRs',
    { nodes: [node('n1', '10.0.0.0/16'), node('n2', '10.0.1.0/24')] },
    { number: 'PW903', evidence: [['nodes', 'n1 10.0.0.0/16, n2 10.0.1.0/24']] },
  );
});

describe('checkBeforeInstall', () => {
  it('another network and objects of the agent are findings, missing permissions of podwire are not', () =>
    expect(
      problems(
        { otherNetworks: ['kube-system/cilium'], conflicts: ['ClusterRole calico-node'], granted: undefined },
        checkBeforeInstall,
      ),
    ).toMatchObject([
      { number: 'PW905', outcome: 'failed' },
      { number: 'PW906', outcome: 'warning' },
    ]));
});

it('the numbers of a node are those that concern it', () => {
  const [one, other] = [node('n1', '10.0.0.0/24'), node('n2', '', { podwire: undefined })];
  const all = state({ nodes: [one, other] });
  expect([numbersOf(one, all), numbersOf(other, all)]).toEqual([[], ['PW301', 'PW902']]);
});

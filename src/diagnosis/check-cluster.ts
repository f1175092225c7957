import { formatCidr } from '../address/cidr.ts';
import { quoteForShell } from './check-runtime.ts';
import { found, passed, type Finding } from './finding.ts';
import type { ClusterNode, ClusterState } from './cluster-facts.ts';
import { freeNetwork, isInCidr } from './range.ts';

/** Checks the objects of a cluster on which podwire is installed. */
export function checkCluster(state: ClusterState): readonly Finding[] {
  return [checkVersion(state), checkRole(state), checkPods(state), checkPodCidrs(state), checkOverlaps(state)];
}

/** Checks whether podwire can be installed in a cluster. */
export function checkBeforeInstall(state: ClusterState): readonly Finding[] {
  const { otherNetworks, conflicts } = state;
  return [
    checkVersion(state),
    checkPodCidrs(state),
    checkOverlaps(state),
    otherNetworks.length === 0
      ? passed('PW905', 'no other pod network is installed')
      : found('PW905', 'failed', 'Another pod network is installed.', {
          evidence: otherNetworks.map((name) => ['DaemonSet', name]),
        }),
    conflicts.length === 0
      ? passed('PW906', 'Calico is not in the cluster')
      : found('PW906', 'warning', 'Calico is in the cluster. Keep its agent, and replace only its plugin.', {
          evidence: conflicts.slice(0, 5).map((name) => ['object', name]),
        }),
  ];
}

/** The numbers of the findings that concern one node. */
export function numbersOf(node: ClusterNode, state: ClusterState): readonly string[] {
  const overlaps = overlapsIn(state).some(({ one, other }) => one === node || other === node);
  return [
    ...(node.podCidrs.length === 0 ? ['PW301'] : []),
    ...(node.podwire?.isReady === true ? [] : ['PW902']),
    ...(overlaps ? ['PW903'] : []),
  ];
}

/** The oldest API server that binds tokens to Nodes. */
const MIN_MINOR = 31;

function checkVersion({ version }: ClusterState): Finding {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 1 || Number(minor) >= MIN_MINOR) return passed('PW904', `the API server is ${version}`);
  return found(
    'PW904',
    'failed',
    `The API server is ${version || 'of an unknown version'}; podwire needs 1.${MIN_MINOR} or newer.`,
  );
}

const NEEDED = ['get pods', 'get nodes', 'patch pods/status'];

function checkRole({ granted, isBound, hasAdmissionPolicy }: ClusterState): Finding {
  const missing = NEEDED.filter((right) => granted?.includes(right) !== true);
  const fix = ['kubectl apply -f cni-conf/rbac.yaml'];
  if (granted === undefined) return found('PW901', 'failed', 'There is no ClusterRole "podwire".', { fix });
  if (missing.length > 0)
    return found('PW901', 'failed', `The ClusterRole "podwire" does not grant ${missing.join(', ')}.`, { fix });
  if (!isBound)
    return found('PW901', 'failed', 'The ClusterRole "podwire" is not bound to the account of the plugin.', { fix });
  const policy = hasAdmissionPolicy ? 'restricted by an admission policy' : 'without an admission policy';
  return passed('PW901', `the account of the plugin may ${NEEDED.join(', ')}, ${policy}`);
}

function checkPods({ nodes }: ClusterState): Finding {
  const wrong = nodes.filter(({ podwire }) => podwire?.isReady !== true);
  if (wrong.length === 0) return passed('PW902', `podwire is ready on ${nodes.length} of ${nodes.length} nodes`);
  return found('PW902', 'failed', `podwire is not ready on ${wrong.length} of ${nodes.length} nodes.`, {
    evidence: wrong
      .slice(0, 5)
      .map(({ name, podwire }) => [
        name,
        podwire === undefined ? 'it has no pod of podwire' : `${podwire.name}: ${podwire.problem ?? 'not ready'}`,
      ]),
    fix: wrong
      .slice(0, 3)
      .flatMap(({ podwire }) =>
        podwire === undefined ? [] : [`kubectl -n kube-system logs ${podwire.name} --all-containers --tail 5`],
      ),
  });
}

function checkPodCidrs({ nodes }: ClusterState): Finding {
  const without = nodes.filter(({ podCidrs }) => podCidrs.length === 0);
  const [first] = without;
  if (first === undefined) return passed('PW301', `${nodes.length} of ${nodes.length} nodes have a podCIDR`);
  const taken = nodes.flatMap(({ podCidrs }) => podCidrs.filter(({ address }) => address.family === 'ipv4'));
  const free = freeNetwork(taken);
  const patch = free && JSON.stringify({ spec: { podCIDR: formatCidr(free), podCIDRs: [formatCidr(free)] } });
  return found('PW301', 'failed', `${without.length} of ${nodes.length} nodes have no podCIDR.`, {
    evidence: [
      [
        'nodes',
        without
          .slice(0, 5)
          .map(({ name }) => name)
          .join(', '),
      ],
      ['cause', 'the controller manager assigns none (--allocate-node-cidrs), or has none left (--cluster-cidr)'],
    ],
    fix: patch === undefined ? [] : [`kubectl patch node ${first.name} -p ${quoteForShell(patch)}`],
  });
}

interface Overlap {
  readonly one: ClusterNode;
  readonly other: ClusterNode;
  readonly text: string;
}

function overlapsIn({ nodes }: ClusterState): readonly Overlap[] {
  return nodes.flatMap((one, index) =>
    nodes.slice(index + 1).flatMap((other) =>
      one.podCidrs.flatMap((cidr) =>
        other.podCidrs
          .filter((taken) => isInCidr(cidr.address, taken) || isInCidr(taken.address, cidr))
          .map((taken) => ({
            one,
            other,
            text: `${one.name} ${formatCidr(cidr)}, ${other.name} ${formatCidr(taken)}`,
          })),
      ),
    ),
  );
}

function checkOverlaps(state: ClusterState): Finding {
  const overlaps = overlapsIn(state);
  if (overlaps.length === 0) return passed('PW903', 'no podCIDR overlaps another one');
  return found('PW903', 'failed', 'podCIDRs of nodes overlap.', {
    evidence: overlaps.slice(0, 3).map(({ text }) => ['nodes', text]),
  });
}

import type { ClusterNode, ClusterState, PodwirePod } from '../../diagnosis/cluster-facts.ts';
import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';
import { CIDR } from '../../json/shapes.ts';
import type { PersonApi } from '../person-api.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** DaemonSets that write network configurations. */
const NETWORKS =
  /(^|\/)(calico-node|canal|cilium|kube-flannel(-ds)?|weave-net|kube-router|antrea-agent|aws-node|azure-cns|kindnet|ovnkube-node)$/;

/** Reads the objects of the cluster that the checks need. */
export async function observeCluster(api: PersonApi): Promise<ClusterState> {
  const [version, nodes, pods, daemonSets, role, bindings, policy, agentRole] = await Promise.all([
    api.read('/version'),
    api.list('/api/v1/nodes'),
    api.list('/api/v1/namespaces/kube-system/pods'),
    api.list('/apis/apps/v1/daemonsets'),
    api.read(`${RBAC}/clusterroles/podwire`),
    api.list(`${RBAC}/clusterrolebindings`),
    api.read('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/podwire'),
    api.read(`${RBAC}/clusterroles/calico-node`),
  ]);
  const ownPods = pods
    .map(objectOf)
    .filter((pod) => textAt(at(pod, 'metadata', 'labels'), 'app.kubernetes.io/name') === 'podwire');
  const names = daemonSets.map(
    (set) => `${textAt(at(objectOf(set), 'metadata'), 'namespace')}/${textAt(at(objectOf(set), 'metadata'), 'name')}`,
  );
  return {
    version: textAt(objectOf(version), 'gitVersion'),
    nodes: nodes.map((node) => describeNode(objectOf(node), ownPods)),
    granted: role === undefined ? undefined : grantedBy(objectOf(role)),
    isBound: bindings.map(objectOf).some(bindsPlugin),
    hasAdmissionPolicy: policy !== undefined,
    // calico-node can be the agent of podwire, if its plugin is replaced.
    otherNetworks: names.filter((name) => NETWORKS.test(name)),
    conflicts: agentRole === undefined ? [] : ['ClusterRole calico-node'],
  };
}

function describeNode(node: JsonObject, ownPods: readonly JsonObject[]): ClusterNode {
  const name = textAt(at(node, 'metadata'), 'name');
  const spec = at(node, 'spec');
  const podCidrs = textsAt(spec, 'podCIDRs');
  const pod = ownPods.find((candidate) => textAt(at(candidate, 'spec'), 'nodeName') === name);
  return {
    name,
    isReady: listAt(at(node, 'status'), 'conditions').some(
      (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
    ),
    podCidrs: (podCidrs.length > 0 ? podCidrs : [textAt(spec, 'podCIDR')]).flatMap((text) => CIDR.parse(text) ?? []),
    podwire: pod && describePod(pod),
  };
}

function describePod(pod: JsonObject): PodwirePod {
  const status = at(pod, 'status');
  const states = [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')];
  const [container] = listAt(at(pod, 'spec'), 'containers');
  const image = container === undefined ? '' : textAt(container, 'image');
  const problem = states.map(problemOf).find((text) => text !== undefined);
  return {
    name: textAt(at(pod, 'metadata'), 'name'),
    version: /:([^:/@]+)(@|$)/.exec(image)?.[1] ?? 'unknown',
    isReady: listAt(status, 'conditions').some(
      (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
    ),
    problem,
  };
}

function problemOf(status: JsonObject): string | undefined {
  const waiting = at(status, 'state', 'waiting');
  const reason = textAt(waiting, 'reason');
  if (reason === '' || reason === 'PodInitializing') return undefined;
  return `${textAt(status, 'name')}: ${[reason, textAt(waiting, 'message')].filter((text) => text !== '').join(', ')}`;
}

function grantedBy(role: JsonObject): readonly string[] {
  return listAt(role, 'rules').flatMap((rule) =>
    textsAt(rule, 'verbs').flatMap((verb) => textsAt(rule, 'resources').map((resource) => `${verb} ${resource}`)),
  );
}

function bindsPlugin(binding: JsonObject): boolean {
  if (textAt(at(binding, 'roleRef'), 'name') !== 'podwire') return false;
  return listAt(binding, 'subjects').some((subject) => textAt(subject, 'kind') === 'ServiceAccount');
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function at(object: JsonObject, ...keys: readonly string[]): JsonObject {
  return keys.reduce<JsonObject>((inner, key) => objectOf(inner[key]), object);
}

function listAt(object: JsonObject, key: string): readonly JsonObject[] {
  const list: JsonValue = object[key] ?? null;
  return isJsonList(list) ? list.filter(isJsonObject) : [];
}

function textsAt(object: JsonObject, key: string): readonly string[] {
  const list: JsonValue = object[key] ?? null;
  return isJsonList(list) ? list.filter((item) => typeof item === 'string') : [];
}

function textAt(object: JsonObject, key: string): string {
  const text = object[key];
  return typeof text === 'string' ? text : '';
}

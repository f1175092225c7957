import { formatCidr } from '../address/cidr.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { isInCidr, usableCount } from '../diagnosis/range.ts';
import { isJsonObject } from '../json/json.ts';
import { CIDR } from '../json/shapes.ts';
import { hostInterfaceName } from '../plan/host-interface-name.ts';
import { sha1 } from '../system/sha1.ts';
import type { CliIo } from './cli-io.ts';
import { observeIfNode, stateOf, type Column, type GetOptions, type Listing } from './listing.ts';
import { openPersonApi } from './person-api.ts';

const ANNOTATION = 'cni.projectcalico.org/';

/**
 * Lists the workload endpoints of the cluster, with what is on this node.
 *
 * @throws {CommandError} if the API refuses
 */
export async function listEndpoints(options: GetOptions, io: CliIo): Promise<Listing> {
  const { namespace, node, showsNamespace } = options;
  const api = await openPersonApi({ ...options, timeoutMs: options.timeoutSeconds * 1000 });
  const path = namespace === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const local = await observeIfNode(io);
  const prefix = local?.own.kind === 'valid' ? local.own.config.hostInterfacePrefix : 'cali';
  const rows = (await api.list(path)).flatMap((pod) => {
    const [metadata, spec] = [objectAt(pod, 'metadata'), objectAt(pod, 'spec')];
    const annotations = objectAt(metadata, 'annotations');
    const networks = textAt(annotations, `${ANNOTATION}podIPs`) || textAt(annotations, `${ANNOTATION}podIP`);
    const nodeName = textAt(spec, 'nodeName');
    if (networks === '' || objectAt(spec)['hostNetwork'] === true || (node !== undefined && nodeName !== node))
      return [];
    const identity = { namespace: textAt(metadata, 'namespace'), name: textAt(metadata, 'name') };
    const containerId = textAt(annotations, `${ANNOTATION}containerID`);
    const isHere = local?.nodeName === nodeName;
    return [
      {
        namespace: identity.namespace,
        workload: identity.name,
        node: nodeName,
        networks: networks.replaceAll(',', ', '),
        interface: hostInterfaceName(prefix, { containerId, interfaceName: 'eth0', pod: identity }, sha1),
        container: containerId.slice(0, 12),
        onNode: isHere ? stateOnNode(containerId, local) : '',
      },
    ];
  });
  const namespaceColumn: readonly Column[] = showsNamespace ? [['NAMESPACE', 'namespace']] : [];
  const columns: readonly Column[] = [
    ...namespaceColumn,
    ['WORKLOAD', 'workload'],
    ['NODE', 'node'],
    ['NETWORKS', 'networks'],
    ['INTERFACE', 'interface'],
  ];
  return {
    rows,
    table: columns,
    wide: [...columns, ['CONTAINER', 'container'], ['ON NODE', 'onNode']],
    nameOf: (row) => `${row['namespace']}/${row['workload']}`,
    note: '',
  };
}

/** What is on this node of an endpoint that the API has. */
function stateOnNode(containerId: string, local: NodeFacts | undefined): string {
  if (local === undefined || local.journal.kind === 'unseen') return '';
  const record = local.journal.value.attachments.find((item) => item.containerId === containerId);
  return record === undefined ? 'MISSING' : stateOf(record, local);
}

/**
 * Lists the podCIDRs of all Nodes, with the routes of this node.
 *
 * @throws {CommandError} if the API refuses
 */
export async function listPodCidrs(options: GetOptions, io: CliIo): Promise<Listing> {
  const api = await openPersonApi({ ...options, timeoutMs: options.timeoutSeconds * 1000 });
  const local = await observeIfNode(io);
  const rows = (await api.list('/api/v1/nodes')).map((node) => {
    const name = textAt(objectAt(node, 'metadata'), 'name');
    const spec = objectAt(node, 'spec');
    const list = Array.isArray(spec['podCIDRs']) ? spec['podCIDRs'] : [spec['podCIDR']];
    const cidrs = list.flatMap((cidr: unknown) => (typeof cidr === 'string' ? (CIDR.parse(cidr) ?? []) : []));
    const [v4, v6] = (['ipv4', 'ipv6'] as const).map((family) =>
      cidrs.find(({ address }) => address.family === family),
    );
    const isHere = local?.nodeName === name;
    return {
      node: name,
      podCidr: v4 === undefined ? '' : formatCidr(v4),
      podCidrIpv6: v6 === undefined ? '' : formatCidr(v6),
      leases:
        isHere && local.addresses.kind === 'seen' && v4 !== undefined
          ? `${local.addresses.value.leases.filter(({ address }) => isInCidr(address, v4)).length}/${usableCount(v4)}`
          : '',
      route: isHere ? '(this node)' : v4 === undefined ? 'no podCIDR' : routeTo(formatCidr(v4), local),
    };
  });
  const columns: readonly Column[] = [
    ['NODE', 'node'],
    ['PODCIDR', 'podCidr'],
    ['PODCIDR IPV6', 'podCidrIpv6'],
    ['LEASES', 'leases'],
    ['ROUTE FROM HERE', 'route'],
  ];
  return { rows, table: columns, wide: columns, nameOf: (row) => row['podCidr'] || row['node'] || '', note: '' };
}

function routeTo(podCidr: string, local: NodeFacts | undefined): string {
  if (local === undefined || local.routes.kind === 'unseen') return '';
  const route = local.routes.value.find(({ destination }) => formatCidr(destination) === podCidr);
  return route === undefined ? 'MISSING' : `dev ${route.interfaceName ?? 'several'}`;
}

function objectAt(value: unknown, key?: string): Readonly<Record<string, unknown>> {
  const found: unknown = key === undefined ? value : isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(found) ? found : {};
}

function textAt(value: Readonly<Record<string, unknown>>, key: string): string {
  const text = value[key];
  return typeof text === 'string' ? text : '';
}

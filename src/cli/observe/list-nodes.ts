import { formatCidr } from '../../address/cidr.ts';
import { parseAnswer } from '../../cluster/api-answer.ts';
import type { ApiClient } from '../../cluster/api-client.ts';
import type { Deadline } from '../../cluster/wire/deadline.ts';
import type { OtherNode } from '../../diagnosis/api-facts.ts';
import type { Seen } from '../../diagnosis/facts.ts';
import { freeNetwork } from '../../diagnosis/range.ts';
import type { JsonReader } from '../../json/json-reader.ts';
import { ADDRESS, CIDR, NON_EMPTY_STRING, STRING } from '../../json/shapes.ts';
import { messageOf } from '../../system/error-text.ts';

/** The Nodes of the cluster, or the first of them. */
export interface ListedNodes {
  readonly items: readonly ListedNode[];
  readonly areAll: boolean;
}

/** A Node, with what only the list is read for. */
interface ListedNode extends OtherNode {
  readonly isReady: boolean;
  readonly maxPods: number | undefined;
}

/** A Node of a kubelet with many images has about 20 kB. */
const MAX_NODES = 250;

/** Lists the Nodes with credentials that may do so. */
export async function listNodes(client: ApiClient | undefined, deadline: Deadline): Promise<Seen<ListedNodes>> {
  if (client === undefined)
    return { kind: 'unseen', why: "no credentials that may list Nodes; --kubeconfig takes an administrator's" };
  const request = {
    purpose: { verb: 'get', resource: 'nodes', object: 'all nodes' },
    path: `/api/v1/nodes?limit=${MAX_NODES}`,
  } as const;
  try {
    const value = parseAnswer(await client.send(request, deadline), request, (list) => ({
      items: list.readObjects('items').map(readListedNode),
      areAll: (list.readObject('metadata').readUnlessZero('continue', STRING) ?? '') === '',
    }));
    return { kind: 'seen', value };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error) };
  }
}

function readListedNode(node: JsonReader): ListedNode {
  const status = node.readObject('status');
  const conditions = status.readObjects('conditions');
  const maxPods = Number(status.readObject('capacity').readUnlessZero('pods', STRING) ?? '');
  return {
    name: node.requireObject('metadata').require('name', NON_EMPTY_STRING),
    podCidrs: node.readObject('spec').readList('podCIDRs', CIDR),
    addresses: status
      .readObjects('addresses')
      .filter((item) => item.read('type', STRING) === 'InternalIP')
      .flatMap((item) => item.read('address', ADDRESS) ?? []),
    maxPods: maxPods > 0 ? maxPods : undefined,
    isReady: conditions.some((item) => item.read('type', STRING) === 'Ready' && item.read('status', STRING) === 'True'),
  };
}

/** A podCIDR that no Node has; `undefined` if not all of them are known. */
export function findFreePodCidr(nodes: Seen<ListedNodes>): string | undefined {
  if (nodes.kind === 'unseen' || !nodes.value.areAll) return undefined;
  const taken = nodes.value.items.flatMap(({ podCidrs }) => podCidrs);
  const free = freeNetwork(taken.filter(({ address }) => address.family === 'ipv4'));
  return free && formatCidr(free);
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent/agent.ts';
import { openApiBudget } from '../../src/cluster/api-budget.ts';
import { formatCidr } from '../../src/address/cidr.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { readClusterFacts } from '../../src/attachment/cluster-facts.ts';
import { openLoopbackCluster, WEB, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

let loopback: LoopbackCluster;
beforeAll(async () => {
  loopback = await openLoopbackCluster();
});
afterAll(() => loopback[Symbol.asyncDispose]());

interface Asked {
  readonly pod?: typeof WEB | undefined;
  readonly podUid?: string;
  readonly interfaceName?: string;
  readonly config?: JsonObject;
}
function read(asked: Asked) {
  const reference = 'pod' in asked ? asked.pod : WEB;
  const pod = reference && { ...reference, uid: asked.podUid };
  const config = networkConfig({ nodename: 'n1', ...asked.config });
  const id = attachmentId('c1', asked.interfaceName);
  return readClusterFacts(attachment({ id, pod }), config, openApiBudget(loopback.cluster, 5000), openAgent(config));
}
/** The uid of a static pod. */
const HASH = '0123456789abcdef0123456789abcdef';
const OWN_RANGE = { ipam: { type: 'host-local', subnet: '10.9.0.0/24' } };

describe('pod and node', () => {
  it('are both read if both are needed', async () => {
    const { pod, node } = await read({});
    expect(pod).toMatchObject({ ...WEB, uid: 'uid-1' });
    expect({ ...node, podCidrs: node?.podCidrs.map(formatCidr) }).toEqual({
      nodeName: 'n1',
      podCidrs: ['fd71::/64', '10.71.0.0/24'],
    });
  });

  it('kubernetes.node_name selects the node', async () => {
    const config = { nodename: 'other', kubernetes: { kubeconfig: '/k', node_name: 'n1' } };
    expect((await read({ config })).node?.nodeName).toBe('n1');
  });

  const asks = (what: string, asked: Asked, paths: readonly string[]) =>
    it(what, async () => {
      const earlier = loopback.api.requests.length;
      await read(asked);
      expect(
        loopback.api.requests
          .slice(earlier)
          .map(({ path }) => path)
          .toSorted(),
      ).toEqual(paths);
    });
  asks('are asked for at once', {}, ['/api/v1/namespaces/default/pods/web', '/api/v1/nodes/n1']);
  asks('the node is not asked for without podCIDRs', { config: OWN_RANGE }, ['/api/v1/namespaces/default/pods/web']);
  asks('a pod whose uid is that of the API server is not asked for', { podUid: 'uid-1' }, ['/api/v1/nodes/n1']);
  asks('a second network asks for the pod, because it writes no endpoint', { podUid: 'uid-1', interfaceName: 'net1' }, [
    '/api/v1/namespaces/default/pods/web',
    '/api/v1/nodes/n1',
  ]);
  asks('the API is not asked without a pod, either', { config: OWN_RANGE, pod: undefined }, []);

  const refuses = (what: string, asked: Asked, message: RegExp) =>
    it(what, () =>
      expect(read(asked)).rejects.toMatchObject({
        code: ERROR_CODE.apiRefused,
        message: expect.stringMatching(message),
      }),
    );
  refuses('no pod of that name', { pod: { namespace: 'default', name: 'gone' } }, /no pod default\/gone/);
  refuses('another pod of that name', { podUid: HASH }, /another pod default\/web/);
  refuses(
    'no node of that name',
    { config: { nodename: 'gone' } },
    /no node gone; set nodename in the network configuration/,
  );
});

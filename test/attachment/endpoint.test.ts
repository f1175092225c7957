import { beforeEach, describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent/agent.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import {
  attemptToClearEndpoint,
  clearEndpoint,
  publishEndpoint,
  withdrawEndpoint,
} from '../../src/attachment/endpoint.ts';
import { openApiBudget, type ApiBudget } from '../../src/cluster/api-budget.ts';
import { openLoopbackCluster, soon, WEB, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const ADDRESSES = [parseIpAddress('10.0.0.5'), parseIpAddress('fd00::5')];
const ENDPOINT = 'cni.projectcalico.org/';
const ATTACHED = {
  kept: 'yes',
  [`${ENDPOINT}containerID`]: 'c1',
  [`${ENDPOINT}podIP`]: '10.0.0.5/32',
  [`${ENDPOINT}podIPs`]: '10.0.0.5/32,fd00::5/128',
};
const CLEARED = { ...ATTACHED, [`${ENDPOINT}podIP`]: '', [`${ENDPOINT}podIPs`]: '' };
const NODE = 'n1';
const agent = openAgent(networkConfig({ nodename: NODE }));
/** The attachment of a container of the pod default/web. */
const attached = (containerId = 'c1', uid?: string) =>
  attachment({ id: attachmentId(containerId), pod: { ...WEB, uid } });

let loopback: LoopbackCluster;
const api = (): ApiBudget => openApiBudget(loopback.cluster, 5000);
const annotations = () => loopback.api.pod('default', 'web')?.metadata.annotations;
async function readPod(cluster: Cluster = loopback.cluster) {
  const pod = await cluster.readPod(WEB, soon());
  if (pod === 'absent') throw new Error('no pod default/web');
  return pod;
}
beforeEach(async () => {
  loopback = await openLoopbackCluster();
  return () => loopback[Symbol.asyncDispose]();
});

describe('publishEndpoint', () => {
  it('writes the endpoint on the Pod', async () => {
    await publishEndpoint(attached(), await readPod(), ADDRESSES, api());
    expect(annotations()).toEqual(ATTACHED);
  });

  it('writes nothing for a second network of the pod, nor without a pod', async () => {
    const earlier = loopback.api.requests.length;
    await publishEndpoint(attachment({ id: attachmentId('c1', 'net1') }), await readPod(), ADDRESSES, api());
    await publishEndpoint(attachment({ pod: undefined }), undefined, ADDRESSES, api());
    expect(loopback.api.requests.slice(earlier).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('fails on a Pod that was replaced after it was read', async () => {
    const pod = await readPod();
    loopback.api.putPod({ metadata: { ...WEB, uid: 'uid-2' } });
    const writing = publishEndpoint(attached(), pod, ADDRESSES, api());
    await expect(writing).rejects.toMatchObject({ code: ERROR_CODE.apiRefused, details: 'conflict' });
    expect(annotations()).toBeUndefined();
  });

  it('fails on a Pod that was deleted after it was read', async () => {
    const pod = await readPod();
    loopback.api.deletePod('default', 'web');
    const writing = publishEndpoint(attached(), pod, ADDRESSES, api());
    await expect(writing).rejects.toMatchObject({ code: ERROR_CODE.apiRefused, details: 'absent' });
  });
});

describe('clearEndpoint', () => {
  beforeEach(async () => publishEndpoint(attached(), await readPod(), ADDRESSES, api()));

  it('clears the addresses and keeps the container id', async () => {
    await clearEndpoint(attached(), agent, api());
    expect(annotations()).toEqual(CLEARED);
  });

  const leaves = (what: string, of: ReturnType<typeof attached>) =>
    it(`leaves ${what} alone`, async () => {
      await clearEndpoint(of, agent, api());
      expect(annotations()).toEqual(ATTACHED);
    });
  leaves('the endpoint of another container', attached('c2'));
  leaves('the endpoint of another pod of that name', attached('c1', 'uid-0'));
  leaves('the endpoint of the first network', attachment({ id: attachmentId('c1', 'net1') }));

  it('succeeds without writing if the Pod is gone', async () => {
    loopback.api.deletePod('default', 'web');
    const earlier = loopback.api.requests.length;
    await clearEndpoint(attached(), agent, api());
    expect(loopback.api.requests.slice(earlier).map(({ method }) => method)).toEqual(['PATCH']);
  });

  it('clears nothing before the links are removed', async () => {
    const { promise: removed, resolve } = Promise.withResolvers<void>();
    const clearing = attemptToClearEndpoint(attached(), api(), removed, { agent });
    await readPod();
    expect(annotations()).toEqual(ATTACHED);
    resolve();
    await clearing;
    expect(annotations()).toEqual(CLEARED);
  });

  it('reads the Pod again if another client changes it in the meantime', async () => {
    const { promise: removed, resolve } = Promise.withResolvers<void>();
    const clearing = attemptToClearEndpoint(attached(), api(), removed, { agent });
    await readPod();
    await loopback.cluster.patchPodAnnotations(WEB, { uid: undefined, annotations: { kept: 'changed' } }, soon());
    resolve();
    await clearing;
    expect(annotations()).toEqual({ ...CLEARED, kept: 'changed' });
  });

  it('fails with code 11 if other clients change the Pod faster than it can be read', async () => {
    await loopback.api.setFault({ kind: 'status', status: 409 }, { method: 'PATCH' });
    await expect(clearEndpoint(attached(), agent, api())).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('default/web'),
    });
  });

  it('leaves the endpoint of a pod on another node alone', async () => {
    await clearEndpoint(attached(), openAgent(networkConfig({ nodename: 'n2' })), api());
    expect(annotations()).toEqual(ATTACHED);
  });

  it('does not clear the endpoint of a pod on any node while the name of this one is unknown', async () => {
    const unnamed = openAgent(networkConfig({ nodename: undefined, nodename_file: '/proc/none' }));
    await expect(clearEndpoint(attached(), unnamed, api())).rejects.toThrow('/proc/none');
    expect(annotations()).toEqual(ATTACHED);
    loopback.api.deletePod('default', 'web');
    await clearEndpoint(attached(), unnamed, api());
  });

  it('is one request', async () => {
    const earlier = loopback.api.requests.length;
    await clearEndpoint(attached('c1', 'uid-1'), agent, api());
    expect(loopback.api.requests.slice(earlier).map(({ method }) => method)).toEqual(['PATCH']);
  });

  it('of an ADD that is undone leaves no annotation', async () => {
    await withdrawEndpoint(attached(), networkConfig({ nodename: NODE }), { cluster: loopback.cluster });
    expect(annotations()).toEqual({ kept: 'yes' });
  });

  it('of an ADD that is undone writes nothing if nothing was written', async () => {
    await loopback.api.setFault({ kind: 'status', status: 500 }, { method: 'PATCH' });
    await withdrawEndpoint(attached('c2'), networkConfig({ nodename: NODE }), { cluster: loopback.cluster });
    expect(annotations()).toEqual(ATTACHED);
  });
});

describe('attemptToClearEndpoint', () => {
  const attempt = (of = attached(), removed: Promise<void> = Promise.resolve()) =>
    attemptToClearEndpoint(of, api(), removed, { agent });

  it('reports an endpoint that is cleared', async () => expect(await attempt()).toEqual({ kind: 'cleared' }));
  it('reports an attachment without an endpoint', async () =>
    expect(await attempt(attachment({ pod: undefined }))).toEqual({ kind: 'none' }));
  it('reports why an endpoint remains to be cleared', async () => {
    await loopback.api.setFault({ kind: 'status', status: 500 });
    expect(await attempt()).toEqual({ kind: 'pending', why: expect.stringContaining('500') });
  });
});

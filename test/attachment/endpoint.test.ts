import { beforeEach, describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { clearEndpoint, endpointPod, readAndClearEndpoint, writeEndpoint } from '../../src/attachment/endpoint.ts';
import { openLoopbackCluster, soon, WEB, type LoopbackCluster } from '../cluster/loopback-cluster.ts';
import { anAttachment } from '../support/a-record.ts';

const ADDRESSES = [parseIpAddress('10.0.0.5'), parseIpAddress('fd00::5')];
const ENDPOINT = 'cni.projectcalico.org/';
const ATTACHED = {
  kept: 'yes',
  [`${ENDPOINT}containerID`]: 'c1',
  [`${ENDPOINT}podIP`]: '10.0.0.5/32',
  [`${ENDPOINT}podIPs`]: '10.0.0.5/32,fd00::5/128',
};
const CLEARED = { ...ATTACHED, [`${ENDPOINT}podIP`]: '', [`${ENDPOINT}podIPs`]: '' };
const aRequest = (containerId = 'c1', podUid?: string) => ({
  attachment: anAttachment(containerId),
  args: { pod: WEB, podUid, raw: '' },
  config: { nodeName: 'n1' },
});

let loopback: LoopbackCluster;
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

describe('an endpoint', () => {
  it('is the pod’s, on its first network only', () => {
    const request = aRequest();
    expect(endpointPod(request)).toEqual(WEB);
    expect(endpointPod({ ...request, attachment: anAttachment('c1', 'net1') })).toBeUndefined();
    expect(endpointPod({ ...request, args: { ...request.args, pod: undefined } })).toBeUndefined();
  });

  it('is written on the Pod, and cleared', async () => {
    const { cluster } = loopback;
    await writeEndpoint(aRequest(), await readPod(), ADDRESSES, cluster, soon());
    expect(annotations()).toEqual(ATTACHED);
    await readAndClearEndpoint(aRequest(), WEB, cluster, soon());
    expect(annotations()).toEqual(CLEARED);
  });

  it('is not written on a Pod that was replaced since it was read', async () => {
    const pod = await readPod();
    loopback.api.putPod({ metadata: { ...WEB, uid: 'uid-2' } });
    const writing = writeEndpoint(aRequest(), pod, ADDRESSES, loopback.cluster, soon());
    await expect(writing).rejects.toMatchObject({ code: ERROR_CODE.apiRefused, details: 'conflict' });
    expect(annotations()).toBeUndefined();
  });

  it('is not written on a Pod that was deleted since', async () => {
    const pod = await readPod();
    loopback.api.deletePod('default', 'web');
    const writing = writeEndpoint(aRequest(), pod, ADDRESSES, loopback.cluster, soon());
    await expect(writing).rejects.toMatchObject({ code: ERROR_CODE.apiRefused, details: 'absent' });
  });

  const stays = (what: string, request: ReturnType<typeof aRequest>) =>
    it(`stays: ${what}`, async () => {
      await writeEndpoint(aRequest(), await readPod(), ADDRESSES, loopback.cluster, soon());
      await readAndClearEndpoint(request, WEB, loopback.cluster, soon());
      expect(annotations()).toEqual(ATTACHED);
    });
  stays('it is another container’s', aRequest('c2'));
  stays('it is another pod’s of that name', aRequest('c1', 'uid-0'));

  it('of a Pod that is gone is cleared', async () => {
    const earlier = loopback.api.requests.length;
    await clearEndpoint(aRequest(), 'absent', loopback.cluster, soon());
    expect(loopback.api.requests).toHaveLength(earlier);
  });

  it('is cleared over what others change meanwhile', async () => {
    const { cluster, api } = loopback;
    await writeEndpoint(aRequest(), await readPod(), ADDRESSES, cluster, soon());
    const pod = await readPod();
    await cluster.patchPodAnnotations(WEB, { uid: undefined, annotations: { kept: 'changed' } }, soon());
    await clearEndpoint(aRequest(), pod, cluster, soon());
    expect(api.pod('default', 'web')?.metadata.annotations).toEqual({ ...CLEARED, kept: 'changed' });
  });

  it('is given up, code 11, if others change the Pod faster than it can be read', async () => {
    const { cluster, api } = loopback;
    await writeEndpoint(aRequest(), await readPod(), ADDRESSES, cluster, soon());
    await api.setFault({ kind: 'status', status: 409 }, { method: 'PATCH' });
    const clearing = readAndClearEndpoint(aRequest(), WEB, cluster, soon());
    await expect(clearing).rejects.toMatchObject({
      code: ERROR_CODE.tryAgainLater,
      message: expect.stringContaining('default/web'),
    });
  });
});

import { describe, expect, it } from 'vitest';
import {
  attachmentFromAlias,
  attachmentFromRecord,
  attachmentFromRequest,
  endpointPod,
} from '../../src/plan/attachment.ts';
import { attachment, attachmentId, sha1 } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const WEB = { namespace: 'default', name: 'web' };
const CONFIG = networkConfig({ name: 'net' });

describe('attachmentFromRequest', () => {
  const request = { id: attachmentId(), config: CONFIG, sandboxPath: '/run/netns/web' };

  it('takes pod, uid, sandbox and CNI_ARGS from the request', () => {
    const args = { pod: WEB, podUid: 'uid-1', raw: 'K8S_POD_NAME=web' };
    expect(attachmentFromRequest({ ...request, args }, sha1)).toMatchObject({
      id: attachmentId(),
      network: 'net',
      sandboxPath: '/run/netns/web',
      cniArgs: 'K8S_POD_NAME=web',
      pod: { ...WEB, uid: 'uid-1' },
    });
  });

  it('names the host interface as the agent computes it, and its owner in the alias', () => {
    const args = { pod: WEB, podUid: undefined, raw: '' };
    expect(attachmentFromRequest({ ...request, args }, sha1).hostInterface).toEqual({
      name: 'cali68caf03a5f4',
      alias: 'podwire c1 eth0 net default/web',
    });
  });

  it('without a pod names the host interface after the container', () => {
    const args = { pod: undefined, podUid: undefined, raw: '' };
    const { pod, hostInterface } = attachmentFromRequest({ ...request, args }, sha1);
    expect({ pod, hostInterface }).toEqual({
      pod: undefined,
      hostInterface: { name: 'calic1', alias: 'podwire c1 eth0 net ' },
    });
  });
});

describe('attachmentFromRecord', () => {
  it('keeps the recorded name of the host interface, whatever the prefix is now', () =>
    expect(attachmentFromRecord({ ...attachment(), hostInterfaceName: 'old68caf03a5f4' }, sha1).hostInterface).toEqual({
      name: 'old68caf03a5f4',
      alias: 'podwire c1 eth0 net default/web',
    }));
});

describe('attachmentFromAlias', () => {
  const fromAlias = (workload: string) =>
    attachmentFromAlias(attachmentId(), { network: 'net', workload }, 'cali68caf03a5f4', CONFIG, sha1);

  it('knows pod and host interface, and neither sandbox nor CNI_ARGS', () =>
    expect(fromAlias('default/web')).toMatchObject({
      pod: { ...WEB, uid: undefined },
      sandboxPath: '',
      cniArgs: '',
      hostInterface: { name: 'cali68caf03a5f4', alias: 'podwire c1 eth0 net default/web' },
    }));

  it.each(['', 'default', '/web', 'default/'])('has no pod if the workload is %o', (workload) =>
    expect(fromAlias(workload).pod).toBeUndefined(),
  );
});

describe('endpointPod', () => {
  it('is the pod on its first network', () => expect(endpointPod(attachment())).toMatchObject(WEB));
  it('is undefined on a second network of the pod', () =>
    expect(endpointPod(attachment({ id: attachmentId('c1', 'net1') }))).toBeUndefined());
  it('is undefined without a pod', () => expect(endpointPod(attachment({ pod: undefined }))).toBeUndefined());
});

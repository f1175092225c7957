import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { planEndpointClearing, planWorkloadEndpoint } from '../../src/plan/workload-endpoint.ts';

const annotations = (containerID: string, podIP: string, podIPs: string) => ({
  'cni.projectcalico.org/containerID': containerID,
  'cni.projectcalico.org/podIP': podIP,
  'cni.projectcalico.org/podIPs': podIPs,
});

describe('planWorkloadEndpoint', () => {
  const writes = (claim: string, addresses: readonly string[], podIP: string, podIPs: string) =>
    it(claim, () =>
      expect(planWorkloadEndpoint('c1', addresses.map(parseIpAddress))).toEqual(annotations('c1', podIP, podIPs)),
    );
  writes('an IPv4 address', ['10.0.0.5'], '10.0.0.5/32', '10.0.0.5/32');
  writes('both families, IPv4 first', ['10.0.0.5', 'fd00::5'], '10.0.0.5/32', '10.0.0.5/32,fd00::5/128');
  writes('an IPv6 address', ['fd00::5'], 'fd00::5/128', 'fd00::5/128');
});

describe('planEndpointClearing', () => {
  const ATTACHED = {
    uid: 'u1',
    nodeName: 'n1',
    hostNetwork: false,
    annotations: annotations('c1', '10.0.0.5/32', '10.0.0.5/32'),
  };
  const OURS = { containerId: 'c1', podUid: 'u1', nodeName: 'n1' };
  const CLEARED = { 'cni.projectcalico.org/podIP': '', 'cni.projectcalico.org/podIPs': '' };

  it('empties the addresses and keeps the container id', () =>
    expect(planEndpointClearing(ATTACHED, OURS)).toEqual(CLEARED));
  it('clears the endpoint if the uid is unknown', () =>
    expect(planEndpointClearing(ATTACHED, { ...OURS, podUid: undefined })).toEqual(CLEARED));

  const leaves = (claim: string, pod: Partial<typeof ATTACHED>) =>
    it(`nothing to clear: ${claim}`, () => expect(planEndpointClearing({ ...ATTACHED, ...pod }, OURS)).toBeUndefined());
  leaves('another container', { annotations: annotations('c2', '10.0.0.6/32', '10.0.0.6/32') });
  leaves('another pod of that name', { uid: 'u2' });
  leaves('a pod of the host network', { hostNetwork: true });
  leaves('cleared already', { annotations: annotations('c1', '', '') });
  leaves('never written', { annotations: annotations('', '', '') });
});

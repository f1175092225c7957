import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { checkAddresses, leakedLeases } from '../../src/diagnosis/check-addresses.ts';
import type { LinkFact, NodeFacts } from '../../src/diagnosis/facts.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import {
  addressFacts,
  apiFacts,
  HOUR_MS,
  journalFacts,
  nodeFacts,
  recordFact,
  seen,
  unseen,
} from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<NodeFacts>) =>
  checkAddresses(nodeFacts(overrides)).filter(({ outcome }) => outcome === 'failed' || outcome === 'warning');
const lease = (address: string, containerId: string | undefined, ageMs = HOUR_MS) => ({
  address: parseIpAddress(address),
  containerId,
  ageMs,
});
const [ownLease] = addressFacts().leases;
const leases = (...more: readonly ReturnType<typeof lease>[]) =>
  seen(addressFacts({ leases: [...(ownLease === undefined ? [] : [ownLease]), ...more] }));
const links = (...more: readonly Partial<LinkFact>[]): NodeFacts['links'] => {
  const { links: healthy } = nodeFacts();
  const base = { index: 9, name: 'x', mtuBytes: 1500, alias: undefined, addresses: [] };
  return seen([...(healthy.kind === 'seen' ? healthy.value : []), ...more.map((link) => ({ ...base, ...link }))]);
};
const route = (destination: string, interfaceName: string) =>
  seen([
    { destination: parseCidr('10.0.0.2/32'), interfaceName: 'cali1', isDefault: false, hasGateway: false },
    { destination: parseCidr(destination), interfaceName, isDefault: false, hasGateway: false },
  ]);

describe('checkAddresses', () => {
  const finds = (what: string, overrides: Partial<NodeFacts>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy node has no finding', {});
  finds('no such Node', { api: seen(apiFacts({ node: seen('absent') })) }, { number: 'PW302' });
  finds(
    'a Node without a podCIDR, and one that is free',
    { api: seen(apiFacts({ node: seen({ uid: 'u', podCidrs: [], freePodCidr: '10.0.9.0/24', maxPods: undefined }) })) },
    { number: 'PW301', fix: [expect.stringContaining('"podCIDRs":["10.0.9.0/24"]')] },
  );
  finds(
    'a Node without a podCIDR of a family that ipam asks for',
    {
      own: {
        kind: 'valid',
        fileName: '10-podwire.conflist',
        config: networkConfig({
          ipam: { type: 'host-local', ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] },
        }),
      },
    },
    { number: 'PW301', evidence: [['it has', '10.0.0.0/24'], expect.anything()] },
  );
  finds(
    'a lease of a container that is gone',
    { addresses: leases(lease('10.0.0.9', 'gone')) },
    { number: 'PW305', outcome: 'warning', fix: ['podwire gc --yes'] },
  );
  finds('a damaged lease', { addresses: leases(lease('10.0.0.9', undefined)) }, { number: 'PW305' });
  finds('a new lease may belong to an ADD that is running', { addresses: leases(lease('10.0.0.9', 'new', 1000)) });
  finds(
    'a full range with leaked leases: only the leak is to be repaired',
    { addresses: seen(addressFacts({ ranges: [parseCidr('10.0.0.0/30')], leases: [lease('10.0.0.2', 'gone')] })) },
    { number: 'PW305', outcome: 'failed' },
  );
  finds(
    'a full range of running pods',
    { addresses: seen(addressFacts({ ranges: [parseCidr('10.0.0.0/30')] })) },
    { number: 'PW306', outcome: 'failed' },
  );
  finds(
    'an interface without an attachment',
    { links: links({ name: 'cali2', alias: 'podwire gone eth0 k8s-pod-network default/x' }) },
    { number: 'PW307' },
  );
  finds('an interface of another network has its record there', {
    links: links({ name: 'cali2', alias: 'podwire gone eth0 other default/x' }),
  });
  finds(
    'a foreign route',
    { routes: route('10.0.0.9/32', 'other0') },
    { number: 'PW308', fix: ['ip route del 10.0.0.9/32 dev other0'] },
  );
});

describe('leakedLeases without the list of the runtime', () => {
  const runtime = unseen('no socket');

  it('keeps a lease whose address the node has a route to', () =>
    expect(
      leakedLeases(nodeFacts({ runtime, journal: seen(journalFacts({ attachments: [] })), links: links() })),
    ).toEqual([]));
  it('keeps a lease whose record has a sandbox', () =>
    expect(leakedLeases(nodeFacts({ runtime, routes: seen([]) }))).toEqual([]));
  it('names a lease whose sandbox is gone', () => {
    const journal = seen(journalFacts({ attachments: [recordFact({ hasSandbox: false })] }));
    expect(leakedLeases(nodeFacts({ runtime, routes: seen([]), links: seen([]), journal }))).toHaveLength(1);
  });
});

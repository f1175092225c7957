import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { checkOverlap, isOwnInterface } from '../../src/diagnosis/check-overlap.ts';
import type { NodeFacts, RouteFact } from '../../src/diagnosis/facts.ts';
import { apiFacts, nodeFacts, seen, unseen } from '../support/builders/node-facts.ts';

const check = (overrides: Partial<NodeFacts>) => checkOverlap(nodeFacts(overrides));
const link = (name: string, address: string): Pick<NodeFacts, 'links'> => ({
  links: seen([{ index: 9, name, mtuBytes: 1500, alias: undefined, addresses: [parseIpAddress(address)] }]),
});
const route = (destination: string, overrides: Partial<RouteFact> = {}): RouteFact => ({
  destination: parseCidr(destination),
  interfaceName: 'eth0',
  isDefault: false,
  hasGateway: false,
  ...overrides,
});
const others = (...podCidrs: readonly string[]): Pick<NodeFacts, 'api'> => ({
  api: seen(
    apiFacts({
      otherNodes: seen(podCidrs.map((text) => ({ name: text, podCidrs: [parseCidr(text)], addresses: [] }))),
    }),
  ),
});
const vpn = route('10.0.0.0/8', { hasGateway: true });

describe('checkOverlap', () => {
  it('a healthy node', () => expect(check({})).toMatchObject({ outcome: 'ok' }));

  it('a bridge with an address of the podCIDR', () =>
    expect(check(link('docker0', '10.0.0.1'))).toMatchObject({
      outcome: 'failed',
      evidence: [['interface', 'docker0 has 10.0.0.1']],
    }));

  it('a tunnel of the agent may have one', () =>
    expect(check(link('tunl0', '10.0.0.1'))).toMatchObject({ outcome: 'ok' }));

  it('the network that the node is in contains the podCIDR', () =>
    expect(check({ ...link('eth0', '10.0.99.7'), routes: seen([route('10.0.0.0/16')]) })).toMatchObject({
      outcome: 'warning',
      evidence: [['network', '10.0.0.0/16 dev eth0']],
    }));

  it.each([
    ['by a router', vpn, '10.0.0.0/8 dev eth0, by a router'],
    ['by a tunnel of a VPN', route('10.0.0.0/8', { interfaceName: 'tun0' }), '10.0.0.0/8 dev tun0'],
    [
      'by several routers',
      route('10.0.0.0/8', { interfaceName: undefined, hasGateway: true }),
      '10.0.0.0/8, by a router',
    ],
  ])('a route to a network that contains the podCIDR, %s', (_, around, text) =>
    expect(check({ routes: seen([around]) })).toMatchObject({
      number: 'PW303',
      outcome: 'warning',
      evidence: [
        ['route', text],
        ['effect', expect.any(String)],
      ],
    }),
  );

  it('such a route, while the other Nodes have their own', () =>
    expect(
      check({ ...others('10.0.1.0/24'), routes: seen([vpn, route('10.0.1.0/24', { hasGateway: true })]) }),
    ).toMatchObject({ outcome: 'warning' }));

  it.each<[string, Partial<NodeFacts>]>([
    ['another Node is reached by it', { ...others('10.0.1.0/24'), routes: seen([vpn]) }],
    ['the other Nodes are unknown', { api: seen(apiFacts({ otherNodes: unseen('x') })), routes: seen([vpn]) }],
    ['it is the default route', { routes: seen([route('0.0.0.0/0', { isDefault: true, hasGateway: true })]) }],
    ['an agent has added it', { routes: seen([route('10.0.0.0/8', { interfaceName: 'vxlan.calico' })]) }],
    ['it leads to another network', { routes: seen([route('172.16.0.0/12', { hasGateway: true })]) }],
  ])('no finding: %s', (_, overrides) => expect(check(overrides)).toMatchObject({ outcome: 'ok' }));

  it('what cannot be seen is skipped', () =>
    expect(check({ links: unseen('no netlink') })).toMatchObject({ outcome: 'skipped', summary: 'no netlink' }));
});

it('the interfaces of pods have the prefix of the configuration', () => {
  const { own } = nodeFacts();
  expect(['cali1', 'flannel.1', 'eth0'].map((name) => isOwnInterface(name, own))).toEqual([true, true, false]);
});

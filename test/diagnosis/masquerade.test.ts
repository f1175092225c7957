import { expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { planMasquerade } from '../../src/diagnosis/masquerade.ts';
import { addressFacts, apiFacts, nodeFacts, packetFacts, seen, unseen } from '../support/builders/node-facts.ts';

const others = (...podCidrs: readonly string[]) =>
  seen(
    apiFacts({
      otherNodes: seen(podCidrs.map((text) => ({ name: text, podCidrs: [parseCidr(text)], addresses: [] }))),
    }),
  );
const ranges = (...texts: readonly string[]) => seen(addressFacts({ ranges: texts.map(parseCidr) }));
const firewall = unseen('no program');

it('packets to the podCIDRs of all nodes keep their address', () =>
  expect(
    planMasquerade(
      nodeFacts({ api: others('10.0.1.0/24', '10.0.6.0/24'), packets: packetFacts({ firewall }) }),
      'ipv4',
    ),
  ).toEqual({
    commands: ['iptables -t nat -A POSTROUTING -s 10.0.0.0/24 ! -d 10.0.0.0/21 -j MASQUERADE'],
    evidence: [],
  }));

it('without other nodes it says what that means', () =>
  expect(
    planMasquerade(
      nodeFacts({
        api: seen(apiFacts({ otherNodes: unseen('not permitted') })),
        addresses: ranges('10.0.0.0/24', 'fd00::/64'),
        packets: packetFacts({ firewall }),
      }),
      'ipv6',
    ),
  ).toEqual({
    commands: ['ip6tables -t nat -A POSTROUTING -s fd00::/64 ! -d fd00::/64 -j MASQUERADE'],
    evidence: [['note', expect.stringContaining('--kubeconfig')]],
  }));

it('a node that has only nft', () =>
  expect(planMasquerade(nodeFacts(), 'ipv4').commands).toEqual([
    'nft add table ip podwire_egress',
    "nft add chain ip podwire_egress postrouting '{ type nat hook postrouting priority 100 ; }'",
    'nft add rule ip podwire_egress postrouting ip saddr 10.0.0.0/24 ip daddr != 10.0.0.0/24 masquerade',
  ]));

it('a family that pods do not have', () => expect(planMasquerade(nodeFacts(), 'ipv6').commands).toEqual([]));

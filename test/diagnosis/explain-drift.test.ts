import { expect, it } from 'vitest';
import { effectOfDrift } from '../../src/diagnosis/explain-drift.ts';

it.each([
  ['interface cali1 (host)', 'the pod has no network'],
  ['route to 10.0.0.2/32 (host)', 'the node drops packets to this address of the pod'],
  ['route to 0.0.0.0/0 (sandbox)', 'the pod reaches nothing outside of itself'],
  ['MTU of eth0 (sandbox)', 'small packets pass, and large ones are lost'],
  ['net/ipv4/conf/cali1/proxy_arp (host)', 'the node does not answer for the gateway of the pod'],
  ['net/ipv6/conf/all/disable_ipv6 (sandbox)', 'the pod has no IPv6'],
  ['something new', 'the pod may behave differently from other pods'],
])('%s: %s', (what, effect) => expect(effectOfDrift({ what })).toBe(effect));

import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import {
  attachedPod,
  dualStackFacts,
  otherValue,
  podPlace,
  settingsOf,
  writeSysctl,
  type AttachedPod,
  type PodFactsOverrides,
  type PodPlace,
} from '../support/kernel/attached-pod.ts';

const GATEWAYS = { ipv4: 'via 169.254.1.1 dev eth0', ipv6: 'via fe80::ecee:eeff:feee:eeee dev eth0' } as const;
const MISSING = {
  gateway: 'route to 169.254.1.1/32 (sandbox): expected dev eth0, got none',
  ipv4: `route to 0.0.0.0/0 (sandbox): expected ${GATEWAYS.ipv4}, got none`,
  ipv6: `route to ::/0 (sandbox): expected ${GATEWAYS.ipv6}, got none`,
  addressIpv4: ({ ipv4 }: PodPlace) => `address of eth0 (sandbox): expected ${ipv4}/32, got none`,
  addressIpv6: ({ ipv6 }: PodPlace) => `address of eth0 (sandbox): expected ${ipv6}/128, got none`,
} as const;
const toPod = ({ name, ipv4, ipv6 }: PodPlace, actual: string) => [
  `route to ${ipv4}/32 (host): expected dev ${name}, got ${actual}`,
  `route to ${ipv6}/128 (host): expected dev ${name}, got ${actual}`,
];

describe('CHECK reports the damage and nothing else:', () => {
  let count = 0;
  const damaged = (
    what: string,
    damage: (attached: AttachedPod) => Promise<unknown>,
    expected: (place: PodPlace) => readonly string[],
    overrides: PodFactsOverrides = {},
  ) => {
    const place = podPlace('damage', ++count);
    it(what, async () => {
      const attached = await attachedPod(place, overrides);
      await damage(attached);
      expect(await attached.drifts()).toEqual(expected(place));
    });
  };

  damaged(
    'the veth pair is deleted',
    ({ host, name }) => host.ip('link', 'delete', name),
    ({ name }) => [
      `interface ${name} (host): expected a veth, got none`,
      'interface eth0 (sandbox): expected a veth, got none',
    ],
  );
  damaged(
    'the container interface has another name',
    async ({ pod }) => {
      await pod.ip('link', 'set', 'eth0', 'down');
      await pod.ip('link', 'set', 'eth0', 'name', 'eth9');
    },
    () => ['interface eth0 (sandbox): expected a veth, got none'],
  );
  damaged(
    'another veth has its name',
    async ({ pod }) => {
      await pod.ip('link', 'set', 'eth0', 'down');
      await pod.ip('link', 'set', 'eth0', 'name', 'eth9');
      await pod.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
    },
    (place) => [
      `${place.name} (host) and eth0 (sandbox): expected one veth pair, got ends of two veth pairs`,
      'interface eth0 (sandbox): expected up, got down',
      MISSING.gateway,
      MISSING.ipv4,
      MISSING.ipv6,
      MISSING.addressIpv4(place),
      MISSING.addressIpv6(place),
    ],
  );
  damaged(
    'an interface of another kind has its name',
    async ({ host, name, steps }) => {
      await host.ip('link', 'set', name, 'name', `${name}x`);
      await host.ip('link', 'add', name, 'address', 'ee:ee:ee:ee:ee:ee', 'up', 'type', 'bridge');
      onTestFinished(async () => {
        await host.ip('link', 'delete', name);
      });
      for (const { key, value } of settingsOf(steps, 'host')) await writeSysctl(host, key, value);
    },
    (place) => [`interface ${place.name} (host): expected a veth, got a bridge`, ...toPod(place, `dev ${place.name}x`)],
  );
  damaged(
    'the host interface has another MAC',
    ({ host, name }) => host.ip('link', 'set', name, 'address', '02:00:00:00:00:01'),
    ({ name }) => [`MAC of ${name} (host): expected ee:ee:ee:ee:ee:ee, got 02:00:00:00:00:01`],
  );
  damaged(
    'the container interface has another MAC than the planned one',
    ({ pod }) => pod.ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:01'),
    () => ['MAC of eth0 (sandbox): expected 1e:05:be:ef:00:01, got 02:00:00:00:00:01'],
    { mac: parseMacAddress('1e:05:be:ef:00:01') },
  );
  damaged(
    'both ends have another MTU',
    async ({ host, pod, name }) => {
      await host.ip('link', 'set', name, 'mtu', '1300');
      await pod.ip('link', 'set', 'eth0', 'mtu', '9000');
    },
    ({ name }) => [`MTU of ${name} (host): expected 1400, got 1300`, 'MTU of eth0 (sandbox): expected 1400, got 9000'],
    { mtuBytes: 1400 },
  );
  damaged(
    'the host interface is down',
    ({ host, name }) => host.ip('link', 'set', name, 'down'),
    (place) => [`interface ${place.name} (host): expected up, got down`, ...toPod(place, 'none')],
  );
  damaged(
    'the container interface is down',
    ({ pod }) => pod.ip('link', 'set', 'eth0', 'down'),
    (place) => [
      'interface eth0 (sandbox): expected up, got down',
      MISSING.gateway,
      MISSING.ipv4,
      MISSING.ipv6,
      MISSING.addressIpv6(place),
    ],
  );
  damaged(
    'one address has another prefix length, and the other is deleted',
    async ({ pod, ipv4, ipv6 }) => {
      await pod.ip('address', 'add', `${ipv4}/24`, 'dev', 'eth0', 'noprefixroute');
      await pod.ip('address', 'delete', `${ipv4}/32`, 'dev', 'eth0');
      await pod.ip('address', 'delete', `${ipv6}/128`, 'dev', 'eth0');
    },
    (place) => [
      `address of eth0 (sandbox): expected ${place.ipv4}/32, got ${place.ipv4}/24`,
      MISSING.addressIpv6(place),
    ],
  );
  damaged(
    'the address is on another interface',
    async ({ pod, ipv4 }) => {
      // Another address stays, because an interface loses its routes with its last address.
      await pod.ip('address', 'add', '10.9.9.9/32', 'dev', 'eth0');
      await pod.ip('address', 'delete', `${ipv4}/32`, 'dev', 'eth0');
      await pod.ip('address', 'add', `${ipv4}/32`, 'dev', 'lo');
    },
    (place) => [MISSING.addressIpv4(place)],
  );
  damaged(
    'the routes of the pod are deleted',
    async ({ pod }) => {
      await pod.ip('route', 'delete', 'default');
      await pod.ip('route', 'delete', '169.254.1.1');
      await pod.ip('-6', 'route', 'delete', 'default');
    },
    () => [MISSING.gateway, MISSING.ipv4, MISSING.ipv6],
  );
  damaged(
    'a route of the pod has another gateway, another MTU, another device',
    async ({ pod }) => {
      await pod.ip('link', 'add', 'other', 'up', 'type', 'veth', 'peer', 'name', 'other-peer');
      await pod.ip('route', 'replace', 'default', 'via', '169.254.1.1', 'dev', 'eth0', 'mtu', '1200');
      await pod.ip('-6', 'route', 'replace', 'default', 'via', 'fe80::1', 'dev', 'eth0');
      await pod.ip('route', 'replace', '192.168.0.0/16', 'dev', 'other');
    },
    () => [
      `route to 192.168.0.0/16 (sandbox): expected ${GATEWAYS.ipv4}, got dev other`,
      `route to 0.0.0.0/0 (sandbox): expected ${GATEWAYS.ipv4} mtu 1300, got ${GATEWAYS.ipv4} mtu 1200`,
      `route to ::/0 (sandbox): expected ${GATEWAYS.ipv6}, got via fe80::1 dev eth0`,
    ],
    {
      routes: [
        { destination: parseCidr('192.168.0.0/16') },
        { destination: parseCidr('0.0.0.0/0'), mtuBytes: 1300 },
        { destination: parseCidr('::/0') },
      ],
    },
  );
  damaged(
    'the host has no routes to the pod',
    async ({ host, ipv4, ipv6 }) => {
      await host.ip('route', 'delete', ipv4);
      await host.ip('-6', 'route', 'delete', ipv6);
    },
    (place) => toPod(place, 'none'),
  );
  damaged(
    'the routes of the host to the pod lead elsewhere, or to several interfaces',
    async ({ host, name, ipv4, ipv6 }) => {
      await host.ip('route', 'replace', `${ipv4}/32`, 'nexthop', 'dev', 'uplink', 'nexthop', 'dev', name);
      await host.ip('-6', 'route', 'delete', ipv6);
      await host.ip('-6', 'route', 'add', ipv6, 'dev', 'uplink');
      await host.ip('-6', 'route', 'add', ipv6, 'dev', name, 'table', '100');
    },
    ({ name, ipv4, ipv6 }) => [
      `route to ${ipv4}/32 (host): expected dev ${name}, got several next hops`,
      `route to ${ipv6}/128 (host): expected dev ${name}, got dev ${name} table 100 and dev uplink`,
    ],
  );
  damaged(
    'the route is a blackhole',
    ({ host, ipv4 }) => host.ip('route', 'replace', 'blackhole', `${ipv4}/32`),
    (place) => toPod(place, 'none').slice(0, 1),
  );
  damaged(
    'each setting of the host interface has another value',
    async ({ host, steps }) => {
      for (const step of settingsOf(steps, 'host')) await writeSysctl(host, step.key, otherValue(step));
    },
    (place) =>
      settingsOf(planAttachmentSteps(dualStackFacts(place)), 'host').map(
        (step) => `${step.key} (host): expected ${step.value}, got ${otherValue(step)}`,
      ),
  );
  damaged(
    'IPv6 is off in the pod',
    ({ pod }) => writeSysctl(pod, 'net/ipv6/conf/all/disable_ipv6', '1'),
    (place) => [
      'net/ipv6/conf/all/disable_ipv6 (sandbox): expected 0, got 1',
      MISSING.ipv6,
      MISSING.addressIpv6(place),
    ],
  );
});

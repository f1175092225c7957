import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import {
  anAttachedPod,
  dualStackFacts,
  otherValue,
  podPlace,
  settingsOf,
  writeSysctl,
  type AttachedPod,
  type PodFactsOverrides,
  type PodPlace,
} from '../support/kernel-attached-pod.ts';

const GATEWAYS = { ipv4: 'via 169.254.1.1 dev eth0', ipv6: 'via fe80::ecee:eeff:feee:eeee dev eth0' } as const;
const LOST = {
  gateway: 'route to 169.254.1.1/32 (sandbox): wanted dev eth0, found none',
  ipv4: `route to 0.0.0.0/0 (sandbox): wanted ${GATEWAYS.ipv4}, found none`,
  ipv6: `route to ::/0 (sandbox): wanted ${GATEWAYS.ipv6}, found none`,
  addressIpv4: ({ ipv4 }: PodPlace) => `address of eth0 (sandbox): wanted ${ipv4}/32, found none`,
  addressIpv6: ({ ipv6 }: PodPlace) => `address of eth0 (sandbox): wanted ${ipv6}/128, found none`,
} as const;
const toPod = ({ name, ipv4, ipv6 }: PodPlace, found: string) => [
  `route to ${ipv4}/32 (host): wanted dev ${name}, found ${found}`,
  `route to ${ipv6}/128 (host): wanted dev ${name}, found ${found}`,
];

describe('damage is found and nothing else:', () => {
  let count = 0;
  const damaged = (
    what: string,
    damage: (attached: AttachedPod) => Promise<unknown>,
    expected: (place: PodPlace) => readonly string[],
    overrides: PodFactsOverrides = {},
  ) => {
    const place = podPlace('damage', ++count);
    it(what, async () => {
      const attached = await anAttachedPod(place, overrides);
      await damage(attached);
      expect(await attached.drifts()).toEqual(expected(place));
    });
  };

  damaged(
    'the pair is gone',
    ({ host, name }) => host.ip('link', 'delete', name),
    ({ name }) => [
      `interface ${name} (host): wanted a veth, found none`,
      'interface eth0 (sandbox): wanted a veth, found none',
    ],
  );
  damaged(
    'the container interface has another name',
    async ({ pod }) => {
      await pod.ip('link', 'set', 'eth0', 'down');
      await pod.ip('link', 'set', 'eth0', 'name', 'eth9');
    },
    () => ['interface eth0 (sandbox): wanted a veth, found none'],
  );
  damaged(
    'another veth has its name',
    async ({ pod }) => {
      await pod.ip('link', 'set', 'eth0', 'down');
      await pod.ip('link', 'set', 'eth0', 'name', 'eth9');
      await pod.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
    },
    (place) => [
      `${place.name} (host) and eth0 (sandbox): wanted one veth pair, found ends of two`,
      'interface eth0 (sandbox): wanted up, found down',
      LOST.gateway,
      LOST.ipv4,
      LOST.ipv6,
      LOST.addressIpv4(place),
      LOST.addressIpv6(place),
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
    (place) => [`interface ${place.name} (host): wanted a veth, found a bridge`, ...toPod(place, `dev ${place.name}x`)],
  );
  damaged(
    'the MAC of the host interface',
    ({ host, name }) => host.ip('link', 'set', name, 'address', '02:00:00:00:00:01'),
    ({ name }) => [`MAC of ${name} (host): wanted ee:ee:ee:ee:ee:ee, found 02:00:00:00:00:01`],
  );
  damaged(
    'the MAC of the container interface, where one was asked for',
    ({ pod }) => pod.ip('link', 'set', 'eth0', 'address', '02:00:00:00:00:01'),
    () => ['MAC of eth0 (sandbox): wanted 1e:05:be:ef:00:01, found 02:00:00:00:00:01'],
    { mac: parseMacAddress('1e:05:be:ef:00:01') },
  );
  damaged(
    'the MTU of both ends',
    async ({ host, pod, name }) => {
      await host.ip('link', 'set', name, 'mtu', '1300');
      await pod.ip('link', 'set', 'eth0', 'mtu', '9000');
    },
    ({ name }) => [`MTU of ${name} (host): wanted 1400, found 1300`, 'MTU of eth0 (sandbox): wanted 1400, found 9000'],
    { mtuBytes: 1400 },
  );
  damaged(
    'the host interface is down',
    ({ host, name }) => host.ip('link', 'set', name, 'down'),
    (place) => [`interface ${place.name} (host): wanted up, found down`, ...toPod(place, 'none')],
  );
  damaged(
    'the container interface is down',
    ({ pod }) => pod.ip('link', 'set', 'eth0', 'down'),
    (place) => [
      'interface eth0 (sandbox): wanted up, found down',
      LOST.gateway,
      LOST.ipv4,
      LOST.ipv6,
      LOST.addressIpv6(place),
    ],
  );
  damaged(
    'an address has another prefix, and one is gone',
    async ({ pod, ipv4, ipv6 }) => {
      await pod.ip('address', 'add', `${ipv4}/24`, 'dev', 'eth0', 'noprefixroute');
      await pod.ip('address', 'delete', `${ipv4}/32`, 'dev', 'eth0');
      await pod.ip('address', 'delete', `${ipv6}/128`, 'dev', 'eth0');
    },
    (place) => [`address of eth0 (sandbox): wanted ${place.ipv4}/32, found ${place.ipv4}/24`, LOST.addressIpv6(place)],
  );
  damaged(
    'the address is on another interface',
    async ({ pod, ipv4 }) => {
      await pod.ip('address', 'add', '10.9.9.9/32', 'dev', 'eth0'); // with its last address go an interface's routes
      await pod.ip('address', 'delete', `${ipv4}/32`, 'dev', 'eth0');
      await pod.ip('address', 'add', `${ipv4}/32`, 'dev', 'lo');
    },
    (place) => [LOST.addressIpv4(place)],
  );
  damaged(
    'the routes of the pod are gone',
    async ({ pod }) => {
      await pod.ip('route', 'delete', 'default');
      await pod.ip('route', 'delete', '169.254.1.1');
      await pod.ip('-6', 'route', 'delete', 'default');
    },
    () => [LOST.gateway, LOST.ipv4, LOST.ipv6],
  );
  damaged(
    'a route of the pod has another gateway, another MTU, another device',
    async ({ pod }) => {
      await pod.ip('link', 'add', 'other', 'up', 'type', 'veth', 'peer', 'name', 'rehto');
      await pod.ip('route', 'replace', 'default', 'via', '169.254.1.1', 'dev', 'eth0', 'mtu', '1200');
      await pod.ip('-6', 'route', 'replace', 'default', 'via', 'fe80::1', 'dev', 'eth0');
      await pod.ip('route', 'replace', '192.168.0.0/16', 'dev', 'other');
    },
    () => [
      `route to 192.168.0.0/16 (sandbox): wanted ${GATEWAYS.ipv4}, found dev other`,
      `route to 0.0.0.0/0 (sandbox): wanted ${GATEWAYS.ipv4} mtu 1300, found ${GATEWAYS.ipv4} mtu 1200`,
      `route to ::/0 (sandbox): wanted ${GATEWAYS.ipv6}, found via fe80::1 dev eth0`,
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
    'the node has no routes to the pod',
    async ({ host, ipv4, ipv6 }) => {
      await host.ip('route', 'delete', ipv4);
      await host.ip('-6', 'route', 'delete', ipv6);
    },
    (place) => toPod(place, 'none'),
  );
  damaged(
    "the node's routes to the pod lead elsewhere, or to several places",
    async ({ host, name, ipv4, ipv6 }) => {
      await host.ip('route', 'replace', `${ipv4}/32`, 'nexthop', 'dev', 'uplink', 'nexthop', 'dev', name);
      await host.ip('-6', 'route', 'delete', ipv6);
      await host.ip('-6', 'route', 'add', ipv6, 'dev', 'uplink');
      await host.ip('-6', 'route', 'add', ipv6, 'dev', name, 'table', '100');
    },
    ({ name, ipv4, ipv6 }) => [
      `route to ${ipv4}/32 (host): wanted dev ${name}, found by several interfaces`,
      `route to ${ipv6}/128 (host): wanted dev ${name}, found dev ${name} table 100 and dev uplink`,
    ],
  );
  damaged(
    'what falls into a hole is no route',
    ({ host, ipv4 }) => host.ip('route', 'replace', 'blackhole', `${ipv4}/32`),
    (place) => toPod(place, 'none').slice(0, 1),
  );
  damaged(
    'each setting of the host interface',
    async ({ host, steps }) => {
      for (const step of settingsOf(steps, 'host')) await writeSysctl(host, step.key, otherValue(step));
    },
    (place) =>
      settingsOf(planAttachmentSteps(dualStackFacts(place)), 'host').map(
        (step) => `${step.key} (host): wanted ${step.value}, found ${otherValue(step)}`,
      ),
  );
  damaged(
    'IPv6 is off in the pod',
    ({ pod }) => writeSysctl(pod, 'net/ipv6/conf/all/disable_ipv6', '1'),
    (place) => ['net/ipv6/conf/all/disable_ipv6 (sandbox): wanted 0, found 1', LOST.ipv6, LOST.addressIpv6(place)],
  );
});

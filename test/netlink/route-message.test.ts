import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { KernelError } from '../../src/system/kernel-error.ts';
import {
  addRouteRequest,
  decodeRoute,
  dumpRoutesRequest,
  hasDestination,
  conflictsWith,
  isSameRoute,
  peekPrefixLength,
  type KernelRoute,
} from '../../src/netlink/route-message.ts';
import { NLM_F, RTM } from '../../src/netlink/constants.ts';
import type { Route } from '../../src/plan/step.ts';
import { encodeByReference } from '../support/kernel-message-judge.ts';

const route = ({
  destination = '10.0.0.5/32',
  ...overrides
}: Partial<Omit<Route, 'destination'>> & { destination?: string } = {}): Route => ({
  gateway: undefined,
  scope: 'link',
  ...overrides,
  destination: parseCidr(destination),
});

describe('a route is as the judge encodes it', () => {
  const same = (why: string, wanted: Route, judged: Buffer) =>
    it(why, () => expect(Buffer.from(addRouteRequest(7, wanted).payload).toString('hex')).toBe(judged.toString('hex')));
  const data = { family: 2, dstLen: 32, table: 254, protocol: 'BOOT', scope: 'LINK', type: 'UNICAST' } as const;
  const dst = Buffer.from([10, 0, 0, 5]);
  const defaultIpv6 = {
    family: 10,
    dstLen: 0,
    table: 254,
    protocol: 'BOOT',
    scope: 'UNIVERSE',
    type: 'UNICAST',
  } as const;
  const gateway = parseIpAddress('fe80::ecee:eeff:feee:eeee');
  same('to a pod', route(), encodeByReference({ kind: 'route', data, attrs: { dst, oif: 7 } }));
  same(
    'the default route of IPv6',
    route({ destination: '::/0', gateway, scope: 'global' }),
    encodeByReference({
      kind: 'route',
      data: defaultIpv6,
      attrs: { gateway: Buffer.from('fe80000000000000eceeeefffeeeeeee', 'hex'), oif: 7 },
    }),
  );
  same(
    'with priority, table and a scope of its own',
    route({ priority: 5, table: 100, scope: 200 }),
    encodeByReference({
      kind: 'route',
      data: { ...data, table: 100, scope: 'SITE' },
      attrs: { dst, oif: 7, priority: 5 },
    }),
  );
  same(
    'in a table beyond 255, which the header has no room for',
    route({ table: 1000 }),
    encodeByReference({ kind: 'route', data: { ...data, table: 0 }, attrs: { dst, oif: 7, table: 1000 } }),
  );
  same(
    'with MTU and MSS',
    route({ mtuBytes: 1400, advertisedMssBytes: 1360 }),
    encodeByReference({
      kind: 'route',
      data,
      attrs: { dst, oif: 7, metrics: { mtu: Buffer.from('78050000', 'hex'), advmss: Buffer.from('50050000', 'hex') } },
    }),
  );

  it('fails where one exists', () =>
    expect(addRouteRequest(7, route())).toMatchObject({ type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.EXCL }));
});

describe('a route that exists', () => {
  const observed = (overrides: Partial<KernelRoute> = {}, wanted = route()): KernelRoute => ({
    ...decodeRoute(addRouteRequest(7, wanted).payload),
    ...overrides,
  });
  const IPV6 = route({ destination: 'fd00::5/128' });

  it('comes back as it was encoded', () => {
    const wanted = route({
      gateway: parseIpAddress('10.0.0.1'),
      mtuBytes: 1400,
      advertisedMssBytes: 1360,
      priority: 3,
      table: 1000,
    });
    expect(observed({}, wanted)).toEqual({
      isIpv6: false,
      isUnicast: true,
      prefixLength: 32,
      destination: Buffer.from([10, 0, 0, 5]),
      table: 1000,
      priority: 3,
      scope: 253,
      protocol: 3,
      gateway: Buffer.from([10, 0, 0, 1]),
      interfaceIndex: 7,
      mtuBytes: 1400,
      advertisedMssBytes: 1360,
    });
  });

  const inTheWay = (why: string, existing: KernelRoute, wanted: Route, expected: boolean) =>
    it(why, () => expect(conflictsWith(existing, wanted)).toBe(expected));
  inTheWay('is in the way, whatever its interface', observed({ interfaceIndex: 8 }), route(), true);
  inTheWay('of another table is not', observed({ table: 255 }), route(), false);
  inTheWay('of another priority is not', observed({ priority: 5 }), route(), false);
  inTheWay('of another length is not', observed({ prefixLength: 24 }), route(), false);
  inTheWay('to another address is not', observed({ destination: Buffer.from([10, 0, 0, 6]) }), route(), false);
  inTheWay('of IPv6 has priority 1024 where none was given', observed({ priority: 1024 }, IPV6), IPV6, true);
  inTheWay(
    'of IPv6 is not in the way of IPv4',
    observed({ priority: 0 }, route({ destination: '::/0' })),
    route({ destination: '0.0.0.0/0' }),
    false,
  );

  const same = (why: string, existing: KernelRoute, wanted: Route, expected: boolean) =>
    it(why, () => expect(isSameRoute(existing, 7, wanted)).toBe(expected));
  const gateway = parseIpAddress('10.0.0.1');
  same('is the same', observed(), route(), true);
  same('of IPv6 is the same whatever its scope', observed({ priority: 1024, scope: 0 }, IPV6), IPV6, true);
  same('with another interface is another', observed({ interfaceIndex: 8 }), route(), false);
  same('with another scope is another', observed({ scope: 0 }), route(), false);
  same('without the gateway is another', observed(), route({ gateway }), false);
  same('with a gateway is another', observed({}, route({ gateway })), route(), false);
  same('with another gateway is another', observed({ gateway: Buffer.from([10, 0, 0, 2]) }), route({ gateway }), false);
  same('with another MTU is another', observed({ mtuBytes: 1400 }), route(), false);
  same('with another MSS is another', observed({ advertisedMssBytes: 1400 }), route(), false);

  const leads = (why: string, destination: string, expected: boolean) =>
    it(why, () => expect(hasDestination(observed(), parseCidr(destination))).toBe(expected));
  leads('is to its destination', '10.0.0.5/32', true);
  leads('is not to the network around it', '10.0.0.5/24', false);
  leads('is not to its neighbour', '10.0.0.6/32', false);
  leads('is not to that of another family', '::/32', false);

  it('can be told by its length before it is decoded', () => {
    const { payload } = addRouteRequest(7, IPV6);
    expect([peekPrefixLength(payload, 'ipv6'), peekPrefixLength(payload, 'ipv4')]).toEqual([128, undefined]);
  });

  it('that forwards nothing is told from one that does', () => {
    const judged = encodeByReference({ kind: 'route', data: { family: 2, dstLen: 0, type: 'BLACKHOLE' }, attrs: {} });
    expect([observed().isUnicast, decodeRoute(judged).isUnicast]).toEqual([true, false]);
  });

  it('with a gateway of the wrong size is malformed', () => {
    const attrs = { gateway: Buffer.alloc(16) };
    const judged = encodeByReference({ kind: 'route', data: { family: 2, dstLen: 0 }, attrs });
    expect(() => decodeRoute(judged)).toThrow('EBADMSG');
  });

  it('is asked for with all of its family', () =>
    expect(dumpRoutesRequest('ipv6')).toMatchObject({ type: RTM.GETROUTE, flags: NLM_F.DUMP }));

  it('is read from any bytes, or a KernelError', () => {
    const read = (bytes: Uint8Array): unknown => {
      try {
        return decodeRoute(bytes);
      } catch (error) {
        return error;
      }
    };
    const isExpected = (value: unknown) => value instanceof KernelError || !(value instanceof Error);
    expect(() =>
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => isExpected(read(bytes))),
        { numRuns: 10_000 },
      ),
    ).not.toThrow();
  });
});

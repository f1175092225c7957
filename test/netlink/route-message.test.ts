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
  peekPrefixLength,
  scopeNumber,
  tableNumber,
} from '../../src/netlink/route-message.ts';
import { NLM_F, RTM } from '../../src/netlink/constants.ts';
import type { Route } from '../../src/plan/step.ts';
import { encodeByReference } from '../support/kernel/reference-encoder.ts';
import { plannedRoute as route } from '../support/builders/attachment-facts.ts';

describe('addRouteRequest is as the reference encodes it:', () => {
  const same = (why: string, planned: Route, reference: Buffer) =>
    it(why, () =>
      expect(Buffer.from(addRouteRequest(7, planned).payload).toString('hex')).toBe(reference.toString('hex')),
    );
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
  same('a route to a pod', route(), encodeByReference({ kind: 'route', data, attrs: { dst, oif: 7 } }));
  same(
    'the IPv6 default route',
    route({ destination: '::/0', gateway, scope: 'global' }),
    encodeByReference({
      kind: 'route',
      data: defaultIpv6,
      attrs: { gateway: Buffer.from('fe80000000000000eceeeefffeeeeeee', 'hex'), oif: 7 },
    }),
  );
  same(
    'a route with a priority, a table and a scope',
    route({ priority: 5, table: 100, scope: 200 }),
    encodeByReference({
      kind: 'route',
      data: { ...data, table: 100, scope: 'SITE' },
      attrs: { dst, oif: 7, priority: 5 },
    }),
  );
  same(
    'a route in a table above 255, which does not fit the header',
    route({ table: 1000 }),
    encodeByReference({ kind: 'route', data: { ...data, table: 0 }, attrs: { dst, oif: 7, table: 1000 } }),
  );
  same(
    'a route with an MTU and an MSS',
    route({ mtuBytes: 1400, advertisedMssBytes: 1360 }),
    encodeByReference({
      kind: 'route',
      data,
      attrs: { dst, oif: 7, metrics: { mtu: Buffer.from('78050000', 'hex'), advmss: Buffer.from('50050000', 'hex') } },
    }),
  );
});

it('addRouteRequest fails if the route exists, or appends the route', () => {
  expect(addRouteRequest(7, route())).toMatchObject({ type: RTM.NEWROUTE, flags: NLM_F.CREATE | NLM_F.EXCL });
  expect(addRouteRequest(7, route(), 'append')).toMatchObject({ flags: NLM_F.CREATE | NLM_F.APPEND });
});

it('a route without a table is in the main table, and its scope is a number of the kernel', () => {
  expect([{}, { table: 0 }, { table: 100 }].map(tableNumber)).toEqual([254, 254, 100]);
  const scopes = [{ scope: 'link' }, { scope: 'global' }, { scope: 200 }] as const;
  expect(scopes.map(scopeNumber)).toEqual([253, 0, 200]);
});

describe('a decoded route', () => {
  const decoded = (planned: Route) => decodeRoute(addRouteRequest(7, planned).payload);

  it('is as it was encoded', () => {
    const planned = route({
      gateway: parseIpAddress('10.0.0.1'),
      mtuBytes: 1400,
      advertisedMssBytes: 1360,
      priority: 3,
      table: 1000,
    });
    expect(decoded(planned)).toEqual({
      family: 'ipv4',
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

  const leads = (claim: string, destination: string, expected: boolean) =>
    it(claim, () => expect(hasDestination(decoded(route()), parseCidr(destination))).toBe(expected));
  leads('has its destination', '10.0.0.5/32', true);
  leads('does not have the network around it as destination', '10.0.0.5/24', false);
  leads('does not have the next address as destination', '10.0.0.6/32', false);
  leads('does not have an address of another family as destination', '::/32', false);

  it('has a prefix length that can be read without decoding the rest', () => {
    const { payload } = addRouteRequest(7, route({ destination: 'fd00::5/128' }));
    expect([peekPrefixLength(payload, 'ipv6'), peekPrefixLength(payload, 'ipv4')]).toEqual([128, undefined]);
  });

  it('is not unicast if it is a blackhole', () => {
    const data = { family: 2, dstLen: 0, type: 'BLACKHOLE' } as const;
    const blackhole = encodeByReference({ kind: 'route', data, attrs: {} });
    expect([decoded(route()).isUnicast, decodeRoute(blackhole).isUnicast]).toEqual([true, false]);
  });

  it('with a gateway of the wrong size is malformed', () => {
    const attrs = { gateway: Buffer.alloc(16) };
    const encoded = encodeByReference({ kind: 'route', data: { family: 2, dstLen: 0 }, attrs });
    expect(() => decodeRoute(encoded)).toThrow('EBADMSG');
  });

  it('belongs to a dump of all routes of a family', () =>
    expect(dumpRoutesRequest('ipv6')).toMatchObject({ type: RTM.GETROUTE, flags: NLM_F.DUMP }));

  it('comes from any bytes, or decodeRoute throws a KernelError', () => {
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

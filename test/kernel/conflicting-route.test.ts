import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { conflictsWith, isSameRoute } from '../../src/kernel/conflicting-route.ts';
import { addRouteRequest, decodeRoute, type KernelRoute } from '../../src/netlink/route-message.ts';
import type { Route } from '../../src/plan/step.ts';
import { plannedRoute as route } from '../support/builders/attachment-facts.ts';

const observed = (overrides: Partial<KernelRoute> = {}, planned = route()): KernelRoute => ({
  ...decodeRoute(addRouteRequest(7, planned).payload),
  ...overrides,
});
const IPV6 = route({ destination: 'fd00::5/128' });

describe('a route that exists', () => {
  const conflicts = (why: string, existing: KernelRoute, planned: Route, expected: boolean) =>
    it(why, () => expect(conflictsWith(existing, planned)).toBe(expected));
  conflicts('conflicts with the same route by another interface', observed({ interfaceIndex: 8 }), route(), true);
  conflicts('does not conflict in another table', observed({ table: 255 }), route(), false);
  conflicts('does not conflict with another priority', observed({ priority: 5 }), route(), false);
  conflicts('does not conflict with another prefix length', observed({ prefixLength: 24 }), route(), false);
  conflicts(
    'does not conflict with another destination',
    observed({ destination: Buffer.from([10, 0, 0, 6]) }),
    route(),
    false,
  );
  conflicts(
    'with priority 1024 conflicts with an IPv6 route that has none',
    observed({ priority: 1024 }, IPV6),
    IPV6,
    true,
  );
  conflicts(
    'does not conflict with another family',
    observed({ priority: 0 }, route({ destination: '::/0' })),
    route({ destination: '0.0.0.0/0' }),
    false,
  );
});

describe('a conflicting route', () => {
  const same = (why: string, existing: KernelRoute, planned: Route, expected: boolean) =>
    it(why, () => expect(isSameRoute(existing, 7, planned)).toBe(expected));
  const gateway = parseIpAddress('10.0.0.1');
  same('is the same with every field equal', observed(), route(), true);
  same(
    'is the same with another scope for IPv6, which has no scopes',
    observed({ priority: 1024, scope: 0 }, IPV6),
    IPV6,
    true,
  );
  same('is not the same with another interface', observed({ interfaceIndex: 8 }), route(), false);
  same('is not the same with another scope', observed({ scope: 0 }), route(), false);
  same('is not the same without a gateway', observed(), route({ gateway }), false);
  same('is not the same with a gateway', observed({}, route({ gateway })), route(), false);
  same(
    'is not the same with another gateway',
    observed({ gateway: Buffer.from([10, 0, 0, 2]) }),
    route({ gateway }),
    false,
  );
  same('is not the same with another MTU', observed({ mtuBytes: 1400 }), route(), false);
  same('is not the same with another MSS', observed({ advertisedMssBytes: 1400 }), route(), false);
});

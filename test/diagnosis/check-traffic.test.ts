import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { checkTraffic } from '../../src/diagnosis/check-traffic.ts';
import { apiFacts, nodeFacts, processFacts, seen, unseen } from '../support/builders/node-facts.ts';

const nodes = (...podCidrs: readonly string[]) =>
  seen(
    apiFacts({
      otherNodes: seen(
        podCidrs.map((text, index) => ({
          name: `node-${index + 2}`,
          podCidrs: [parseCidr(text)],
          addresses: [parseIpAddress(`192.0.2.${index + 2}`)],
        })),
      ),
    }),
  );
const routes = (...destinations: readonly string[]) =>
  seen(
    destinations.map((text) => {
      const destination = parseCidr(text);
      return {
        destination,
        interfaceName: 'eth0',
        isDefault: destination.prefixLength === 0,
        hasGateway: destination.prefixLength === 0,
      };
    }),
  );
const TWO = nodes('10.0.1.0/24', '10.0.2.0/24');
const check = (overrides: Parameters<typeof nodeFacts>[0]) => checkTraffic(nodeFacts(overrides))[0];

describe('checkTraffic', () => {
  it.each([
    ['a route to each podCIDR', routes('10.0.1.0/24', '10.0.2.0/24'), 'routes to all 2 podCIDRs'],
    ['a route to a network around them', routes('10.0.0.0/16'), 'routes to all 2 podCIDRs'],
    ['a route to a part of each', routes('10.0.1.0/26', '10.0.2.64/26'), 'routes to all 2 podCIDRs'],
  ])('%s has no finding', (_what, found, summary) =>
    expect(check({ api: TWO, routes: found })).toMatchObject({
      outcome: 'ok',
      summary: expect.stringContaining(summary),
    }),
  );
  it('a route to some of them only', () =>
    expect(check({ api: TWO, routes: routes('0.0.0.0/0', '10.0.1.0/24') })).toMatchObject({
      number: 'PW801',
      outcome: 'warning',
      summary: 'This node has no route to pods of node-3.',
      evidence: [
        ['no route to', '10.0.2.0/24 (node-3)'],
        ['routes', 'to 1 of 2 podCIDRs'],
      ],
      fix: ['ip route'],
    }));
  it('a node on the same link can be the gateway of its pods', () =>
    expect(check({ api: TWO, routes: routes('0.0.0.0/0', '10.0.1.0/24', '192.0.2.0/24') })).toMatchObject({
      fix: ['ip route add 10.0.2.0/24 via 192.0.2.3'],
    }));
  it('only a default route, as in a cloud: the network outside is not seen from here', () =>
    expect(check({ api: TWO, routes: routes('0.0.0.0/0') })).toMatchObject({
      outcome: 'skipped',
      summary: expect.stringContaining('cannot be seen from here'),
    }));
  it('only a default route, although BIRD runs', () =>
    expect(check({ api: TWO, routes: routes('0.0.0.0/0'), processes: processFacts({ hasBird: true }) })).toMatchObject({
      number: 'PW801',
      outcome: 'warning',
      fix: ['birdc show protocols'],
    }));
  it('counts the nodes', () =>
    expect(
      check({ api: nodes('10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24'), routes: routes('10.0.3.0/24') }),
    ).toMatchObject({ summary: 'This node has no route to pods of 2 nodes.' }));
  it('a single node', () => expect(check({ api: nodes() })).toMatchObject({ outcome: 'ok' }));
  it.each([
    ['the API server is away', { api: unseen('away') }],
    ['nothing may list Nodes', { api: seen(apiFacts({ otherNodes: unseen('not permitted') })) }],
    ['the routes cannot be read', { routes: unseen('no netlink') }],
  ])('is skipped if %s', (_what, overrides) => expect(check(overrides)).toMatchObject({ outcome: 'skipped' }));
});

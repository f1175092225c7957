import { formatCidr } from '../address/cidr.ts';
import type { Observation, ObservedInterface, ObservedRoute } from './observation.ts';
import type { Place, Route, StepOf } from './step.ts';

/** One difference between the plan and what was observed, as text. */
export interface Drift {
  /** For example `route to 0.0.0.0/0 (sandbox)`. */
  readonly what: string;
  readonly expected: string;
  /** `none` for an object that does not exist. */
  readonly actual: string;
}

/**
 * Every difference between the steps and what was observed of them. If an interface is missing, that is the only
 * difference reported for it: its routes, addresses and settings are not listed as well.
 *
 * Not a difference is what later plugins of the chain and the agent are free to change:
 * - in the sandbox, every setting except the one that disables IPv6, and an MTU below the planned one (the tuning
 *   plugin changes both and does not report the MTU in its result; it does report a MAC, and CHECK plans with the MAC
 *   of prevResult);
 * - route_localnet of the host interface (the portmap plugin and the agent turn it on later);
 * - in the sandbox, the table of a route (the sbr plugin moves routes to its own table);
 * - the scope, priority and protocol of a route (the agent replaces the routes of the host by its own);
 * - a MAC, an MTU or route metrics that the steps do not specify, and any object that the steps do not mention.
 */
export function findDrift(observations: readonly Observation[]): readonly Drift[] {
  const missing = new Set(observations.flatMap(missingInterfaces));
  return observations.flatMap((observation) => {
    switch (observation.kind) {
      case 'create-veth':
        return vethDrift(observation);
      case 'write-sysctl':
        return sysctlDrift(observation, missing);
      case 'set-up':
        return stateDrift(observation, missing);
      case 'add-route':
        return routeDrift(observation, missing);
      case 'add-address':
        return addressDrift(observation, missing);
      default:
        return observation satisfies never;
    }
  });
}

/** All differences in one line: `what: expected X, got Y; what: …`. */
export function formatDrift(drifts: readonly Drift[]): string {
  return drifts.map(({ what, expected, actual }) => `${what}: expected ${expected}, got ${actual}`).join('; ');
}

type ObservationOf<Kind extends Observation['kind']> = Extract<Observation, { kind: Kind }>;

/** The interfaces that do not exist, each with its place. */
type Missing = ReadonlySet<string>;

function missingInterfaces(observation: Observation): readonly string[] {
  if (observation.kind !== 'create-veth') return [];
  const { step, host, container } = observation;
  return [
    ...(host === undefined ? [withPlace('host', step.host.name)] : []),
    ...(container === undefined ? [withPlace('sandbox', step.container.name)] : []),
  ];
}

function vethDrift({ step, host, container }: ObservationOf<'create-veth'>): readonly Drift[] {
  const hostName = withPlace('host', step.host.name);
  const containerName = withPlace('sandbox', step.container.name);
  return [
    ...compare(`interface ${hostName}`, 'a veth', describeKind(host)),
    ...compare(`interface ${containerName}`, 'a veth', describeKind(container)),
    ...(areUnrelatedVeths(host, container)
      ? [{ what: `${hostName} and ${containerName}`, expected: 'one veth pair', actual: 'ends of two veth pairs' }]
      : []),
    ...compare(`MAC of ${hostName}`, step.host.mac, host?.mac),
    ...compare(`MAC of ${containerName}`, step.container.mac, container?.mac),
    ...compare(`MTU of ${hostName}`, step.mtuBytes, host?.mtuBytes),
    // Packets larger than the MTU of the other end are lost; smaller ones are fine.
    ...(isAbove(container?.mtuBytes, step.mtuBytes)
      ? compare(`MTU of ${containerName}`, step.mtuBytes, container?.mtuBytes)
      : []),
  ];
}

function describeKind(end: ObservedInterface | undefined): string {
  if (end === undefined) return 'none';
  return end.linkKind === undefined ? 'an interface of unknown kind' : `a ${end.linkKind}`;
}

function areUnrelatedVeths(host: ObservedInterface | undefined, container: ObservedInterface | undefined): boolean {
  if (host?.linkKind !== 'veth' || container?.linkKind !== 'veth') return false;
  // An index counts in its own namespace, so one of the two can match by chance.
  return host.index !== container.peerIndex || container.index !== host.peerIndex;
}

function isAbove(actual: number | undefined, max: number | undefined): boolean {
  return actual !== undefined && max !== undefined && actual > max;
}

/** The one setting in a sandbox without which the pod has no network. The pod and other plugins may change the rest. */
const COMPARED_IN_SANDBOX: ReadonlySet<string> = new Set(['net/ipv6/conf/all/disable_ipv6']);

function sysctlDrift({ step, value: actual }: ObservationOf<'write-sysctl'>, missing: Missing): readonly Drift[] {
  const { in: place, key, value: expected, whenMissing, consequence } = step;
  if (place === 'sandbox' && !COMPARED_IN_SANDBOX.has(key)) return [];
  if (place === 'host' && key.endsWith('/route_localnet')) return [];
  const mayBeMissing =
    whenMissing === 'skip' ||
    consequence !== undefined ||
    key.split('/').some((part) => missing.has(withPlace(place, part)));
  if (actual === undefined && mayBeMissing) return [];
  return compare(withPlace(place, key), expected, actual ?? 'none');
}

function stateDrift({ step, isUp }: ObservationOf<'set-up'>, missing: Missing): readonly Drift[] {
  const name = withPlace(step.in, step.interface);
  if (missing.has(name)) return [];
  return compare(`interface ${name}`, 'up', isUp === undefined ? 'none' : isUp ? 'up' : 'down');
}

function addressDrift({ step, addresses }: ObservationOf<'add-address'>, missing: Missing): readonly Drift[] {
  const name = withPlace(step.in, step.interface);
  const { prefixLength } = step.address;
  if (missing.has(name) || addresses.some((address) => address.prefixLength === prefixLength)) return [];
  return compare(`address of ${name}`, formatCidr(step.address), formatList(addresses.map(formatCidr)));
}

function routeDrift({ step, routes }: ObservationOf<'add-route'>, missing: Missing): readonly Drift[] {
  const isReported = missing.has(withPlace(step.in, step.interface)) && routes.length === 0;
  if (isReported || routes.some((route) => isAsPlanned(route, step))) return [];
  const { gateway, mtuBytes, advertisedMssBytes, table } = step.route;
  const expected = { interface: step.interface, gateway, mtuBytes, advertisedMssBytes, table: table || MAIN_TABLE };
  const what = `route to ${withPlace(step.in, formatCidr(step.route.destination))}`;
  return compare(what, formatRoute(expected), formatList(routes.map(formatRoute)));
}

const MAIN_TABLE = 254;

function isAsPlanned(actual: ObservedRoute, step: StepOf<'add-route'>): boolean {
  const { gateway, mtuBytes, advertisedMssBytes, table }: Route = step.route;
  return (
    actual.interface === step.interface &&
    actual.gateway?.text === gateway?.text &&
    (step.in === 'sandbox' || actual.table === (table || MAIN_TABLE)) &&
    (mtuBytes === undefined || actual.mtuBytes === mtuBytes) &&
    (advertisedMssBytes === undefined || actual.advertisedMssBytes === advertisedMssBytes)
  );
}

/** Formats a route as iproute2 does. */
function formatRoute(
  route: Pick<ObservedRoute, 'interface' | 'gateway' | 'table' | 'mtuBytes' | 'advertisedMssBytes'>,
): string {
  return [
    ...(route.gateway === undefined ? [] : [`via ${route.gateway.text}`]),
    route.interface === undefined ? 'several next hops' : `dev ${replaceUnprintable(route.interface)}`,
    ...(route.table === MAIN_TABLE ? [] : [`table ${route.table}`]),
    ...(route.mtuBytes === undefined ? [] : [`mtu ${route.mtuBytes}`]),
    ...(route.advertisedMssBytes === undefined ? [] : [`advmss ${route.advertisedMssBytes}`]),
  ].join(' ');
}

/** A pod can give an interface almost any name, terminal control characters included. */
function replaceUnprintable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?');
}

function withPlace(place: Place, name: string): string {
  return `${name} (${place})`;
}

function formatList(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(' and ');
}

/** Reports no difference if the plan specifies no value, or if the object that would have the property is missing. */
function compare(
  what: string,
  expected: string | number | undefined,
  actual: string | number | undefined,
): readonly Drift[] {
  if (expected === undefined || actual === undefined || expected === actual) return [];
  return [{ what, expected: `${expected}`, actual: `${actual}` }];
}

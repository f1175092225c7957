import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { MacAddress } from '../address/mac-address.ts';
import type { Place, Route, Step } from './step.ts';

/** What is there of one step's change. */
export type Observation =
  | {
      readonly kind: 'create-veth';
      readonly host: ObservedEnd | undefined;
      readonly container: ObservedEnd | undefined;
      /** They are the two ends of one veth. */
      readonly arePeers: boolean;
    }
  /** Undefined: there is no such setting. */
  | { readonly kind: 'write-sysctl'; readonly value: string | undefined }
  /** Undefined: there is no such interface. */
  | { readonly kind: 'set-up'; readonly isUp: boolean | undefined }
  /** All with the step's destination, whatever their table. */
  | { readonly kind: 'add-route'; readonly found: readonly ObservedRoute[] }
  /** The step's address on its interface, once for each prefix length. */
  | { readonly kind: 'add-address'; readonly found: readonly Cidr[] };

/** What of an interface can differ from what was planned. */
export interface ObservedEnd {
  readonly mac: MacAddress;
  readonly mtuBytes: number;
  /** `veth` */
  readonly linkKind: string | undefined;
}

/** A route that forwards, as the kernel has it; numbers are the kernel's. */
export interface ObservedRoute {
  /** Undefined for one with several next hops. */
  readonly interface: string | undefined;
  readonly gateway: IpAddress | undefined;
  readonly scope: number;
  readonly priority: number;
  readonly table: number;
  readonly protocol: number;
  readonly mtuBytes: number | undefined;
  readonly advertisedMssBytes: number | undefined;
}

/** One difference between what was planned and what is there, each part in words. */
export interface Drift {
  /** `route to 0.0.0.0/0 (sandbox)` */
  readonly what: string;
  readonly wanted: string;
  /** `none` for what is missing. */
  readonly found: string;
}

/**
 * Every difference between steps and what was observed of them. Of an interface that is missing only this is said, not also that it has
 * no routes, addresses and settings.
 *
 * Tolerated is what plugins behind this one in the chain and the agent may change:
 * - in the sandbox, settings other than IPv6 being switched off, and an MTU below the planned one (tuning, which does not say so in the
 *   result; a MAC it does, and CHECK plans with that of prevResult);
 * - in the sandbox, a route's table (sbr moves routes to its own);
 * - a route's scope, priority and protocol (the agent writes the node's routes anew, as its own);
 * - a MAC, an MTU or a route's metrics where the steps ask for none, and whatever is there besides what they ask for.
 *
 * @param observations one for each step, in the same order
 */
export function findDrift(steps: readonly Step[], observations: readonly Observation[]): readonly Drift[] {
  const missing = new Set(steps.flatMap((step, index) => missingEnds(step, observations[index])));
  return steps.flatMap((step, index) => stepDrift(step, observations[index], missing));
}

/** All differences in one line: `what: wanted X, found Y; what: …`. */
export function formatDrift(drifts: readonly Drift[]): string {
  return drifts.map(({ what, wanted, found }) => `${what}: wanted ${wanted}, found ${found}`).join('; ');
}

type Missing = ReadonlySet<string>;
type Seen<Kind extends Step['kind']> = Extract<Observation, { kind: Kind }>;
type Wanted<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

function missingEnds(step: Step, seen: Observation | undefined): readonly string[] {
  if (step.kind !== 'create-veth' || seen?.kind !== 'create-veth') return [];
  return [
    ...(seen.host === undefined ? [nameOf('host', step.host.name)] : []),
    ...(seen.container === undefined ? [nameOf('sandbox', step.container.name)] : []),
  ];
}

function stepDrift(step: Step, seen: Observation | undefined, missing: Missing): readonly Drift[] {
  if (step.kind === 'create-veth' && seen?.kind === 'create-veth') return vethDrift(step, seen);
  if (step.kind === 'write-sysctl' && seen?.kind === 'write-sysctl') return sysctlDrift(step, seen, missing);
  if (step.kind === 'set-up' && seen?.kind === 'set-up') return stateDrift(step, seen, missing);
  if (step.kind === 'add-route' && seen?.kind === 'add-route') return routeDrift(step, seen, missing);
  if (step.kind === 'add-address' && seen?.kind === 'add-address') return addressDrift(step, seen, missing);
  throw new RangeError(`what was observed does not belong to the steps: ${step.kind}, ${seen?.kind ?? 'nothing'}`);
}

function vethDrift(step: Wanted<'create-veth'>, { host, container, arePeers }: Seen<'create-veth'>): readonly Drift[] {
  const hostName = nameOf('host', step.host.name);
  const containerName = nameOf('sandbox', step.container.name);
  const areVeths = host?.linkKind === 'veth' && container?.linkKind === 'veth';
  return [
    ...compare(`interface ${hostName}`, 'a veth', kindOf(host)),
    ...compare(`interface ${containerName}`, 'a veth', kindOf(container)),
    ...(areVeths && !arePeers
      ? [{ what: `${hostName} and ${containerName}`, wanted: 'one veth pair', found: 'ends of two' }]
      : []),
    ...compare(`MAC of ${hostName}`, step.host.mac, host?.mac),
    ...compare(`MAC of ${containerName}`, step.container.mac, container?.mac),
    ...compare(`MTU of ${hostName}`, step.mtuBytes, host?.mtuBytes),
    // What is larger than the other end takes is lost; what is smaller fits.
    ...(isAbove(container?.mtuBytes, step.mtuBytes)
      ? compare(`MTU of ${containerName}`, step.mtuBytes, container?.mtuBytes)
      : []),
  ];
}

function kindOf(end: ObservedEnd | undefined): string {
  if (end === undefined) return 'none';
  return end.linkKind === undefined ? 'one of no kind' : `a ${end.linkKind}`;
}

function isAbove(found: number | undefined, most: number | undefined): boolean {
  return found !== undefined && most !== undefined && found > most;
}

/** The one setting inside a pod without which it has no network. Others are for tuning, and the pod, to change. */
const KEPT_IN_SANDBOX: ReadonlySet<string> = new Set(['net/ipv6/conf/all/disable_ipv6']);

function sysctlDrift(
  { in: place, key, value, whenMissing }: Wanted<'write-sysctl'>,
  { value: found }: Seen<'write-sysctl'>,
  missing: Missing,
): readonly Drift[] {
  if (place === 'sandbox' && !KEPT_IN_SANDBOX.has(key)) return [];
  const isExpected = whenMissing === 'skip' || key.split('/').some((part) => missing.has(nameOf(place, part)));
  if (found === undefined && isExpected) return [];
  return compare(nameOf(place, key), value, found ?? 'none');
}

function stateDrift(step: Wanted<'set-up'>, { isUp }: Seen<'set-up'>, missing: Missing): readonly Drift[] {
  const name = nameOf(step.in, step.interface);
  if (missing.has(name)) return [];
  return compare(`interface ${name}`, 'up', isUp === undefined ? 'none' : isUp ? 'up' : 'down');
}

function addressDrift(step: Wanted<'add-address'>, { found }: Seen<'add-address'>, missing: Missing): readonly Drift[] {
  const name = nameOf(step.in, step.interface);
  if (missing.has(name) || found.some(({ prefixLength }) => prefixLength === step.address.prefixLength)) return [];
  return compare(`address of ${name}`, formatCidr(step.address), listed(found.map(formatCidr)));
}

function routeDrift(step: Wanted<'add-route'>, { found }: Seen<'add-route'>, missing: Missing): readonly Drift[] {
  const isMissingToo = missing.has(nameOf(step.in, step.interface)) && found.length === 0;
  if (isMissingToo || found.some((route) => isAsWanted(route, step))) return [];
  const { gateway, mtuBytes, advertisedMssBytes, table } = step.route;
  const wanted = { interface: step.interface, gateway, mtuBytes, advertisedMssBytes, table: table || MAIN_TABLE };
  const what = `route to ${nameOf(step.in, formatCidr(step.route.destination))}`;
  return compare(what, formatRoute(wanted), listed(found.map(formatRoute)));
}

const MAIN_TABLE = 254;

function isAsWanted(found: ObservedRoute, step: Wanted<'add-route'>): boolean {
  const { gateway, mtuBytes, advertisedMssBytes, table }: Route = step.route;
  return (
    found.interface === step.interface &&
    found.gateway?.text === gateway?.text &&
    (step.in === 'sandbox' || found.table === (table || MAIN_TABLE)) &&
    (mtuBytes === undefined || found.mtuBytes === mtuBytes) &&
    (advertisedMssBytes === undefined || found.advertisedMssBytes === advertisedMssBytes)
  );
}

/** As iproute2 prints it. */
function formatRoute(
  route: Pick<ObservedRoute, 'interface' | 'gateway' | 'table' | 'mtuBytes' | 'advertisedMssBytes'>,
): string {
  return [
    ...(route.gateway === undefined ? [] : [`via ${route.gateway.text}`]),
    route.interface === undefined ? 'by several interfaces' : `dev ${printable(route.interface)}`,
    ...(route.table === MAIN_TABLE ? [] : [`table ${route.table}`]),
    ...(route.mtuBytes === undefined ? [] : [`mtu ${route.mtuBytes}`]),
    ...(route.advertisedMssBytes === undefined ? [] : [`advmss ${route.advertisedMssBytes}`]),
  ].join(' ');
}

/** The kernel lets a pod call an interface almost anything. */
function printable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?');
}

function nameOf(place: Place, name: string): string {
  return `${name} (${place})`;
}

function listed(found: readonly string[]): string {
  return found.length === 0 ? 'none' : found.join(' and ');
}

/** No difference where nothing is wanted, or where there is nothing that could have the property. */
function compare(
  what: string,
  wanted: string | number | undefined,
  found: string | number | undefined,
): readonly Drift[] {
  if (wanted === undefined || found === undefined || wanted === found) return [];
  return [{ what, wanted: `${wanted}`, found: `${found}` }];
}

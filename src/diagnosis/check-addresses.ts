import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { needsPodCidr, planAllocation } from '../plan/delegation.ts';
import { parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { checkOverlap, isOwnInterface } from './check-overlap.ts';
import { quoteForShell } from './check-runtime.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { NodeObject } from './api-facts.ts';
import type { AddressFacts, LeaseFact, LinkFact, NodeFacts, RouteFact } from './facts.ts';
import { isInCidr, usableCount } from './range.ts';

/** Checks podCIDRs, leases and what uses their addresses (PW301 to PW308). */
export function checkAddresses(facts: NodeFacts): readonly Finding[] {
  return [...checkNode(facts), checkOverlap(facts), ...checkLeases(facts), checkLinks(facts), checkRoutes(facts)];
}

function checkNode({ api, own, nodeName }: NodeFacts): readonly Finding[] {
  if (own.kind !== 'valid' || api.kind === 'unseen') {
    return (['PW302', 'PW301'] as const).map((number) => skipped(number, 'the Node cannot be read'));
  }
  const { node } = api.value;
  if (node.kind === 'unseen') return [skipped('PW302', node.why), skipped('PW301', node.why)];
  if (node.value === 'absent') {
    return [
      found('PW302', 'failed', `The API server has no Node "${nodeName}".`, {
        evidence: [['name from', own.config.nodeName === undefined ? own.config.nodeNameFile : own.fileName]],
        fix: ['kubectl get nodes'],
      }),
      skipped('PW301', 'the Node does not exist'),
    ];
  }
  const { podCidrs, freePodCidr } = node.value;
  const known = passed('PW302', `the API server has the Node ${nodeName}`);
  if (!needsPodCidr(own.config)) return [known, passed('PW301', 'ipam has its own ranges')];
  const missing = missingFamilies(own.config, nodeName ?? '', podCidrs);
  if (missing === undefined)
    return [known, passed('PW301', `${nodeName} has ${podCidrs.map(formatCidr).join(' and ')}`)];
  const patch = JSON.stringify({ spec: { podCIDR: freePodCidr, podCIDRs: [freePodCidr] } });
  return [
    known,
    found(
      'PW301',
      'failed',
      `Node ${nodeName} has no podCIDR${podCidrs.length === 0 ? '' : ' of every family that ipam asks for'}.`,
      {
        evidence: [
          ['it has', podCidrs.map(formatCidr).join(', ') || undefined],
          ['cause', 'the controller manager assigns none (--allocate-node-cidrs), or has none left (--cluster-cidr)'],
          ['free', freePodCidr],
        ],
        fix:
          freePodCidr === undefined || podCidrs.length > 0
            ? ["kubectl get nodes -o custom-columns='NODE:.metadata.name,PODCIDRS:.spec.podCIDRs'"]
            : [`kubectl patch node ${nodeName} -p ${quoteForShell(patch)}`],
      },
    ),
  ];
}

/** The error of an ADD that asks for a family that the Node has no podCIDR of. */
function missingFamilies(config: NetworkConfig, nodeName: string, podCidrs: readonly Cidr[]): string | undefined {
  try {
    planAllocation(config, { nodeName, podCidrs });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The containers that have something on this node. A lease of any other is leaked. */
function livingContainers({ runtime, journal, links }: NodeFacts): ReadonlySet<string> {
  const inRuntime = runtime.kind === 'seen' ? runtime.value.sandboxIds : [];
  const recorded =
    journal.kind === 'unseen'
      ? []
      : journal.value.attachments
          .filter(({ containerId, isOfEarlierBoot, hasSandbox }) => {
            if (isOfEarlierBoot) return false;
            return runtime.kind === 'seen'
              ? inRuntime.includes(containerId) || hasSandbox !== false
              : hasSandbox !== false;
          })
          .map(({ containerId }) => containerId);
  const labelled =
    runtime.kind === 'seen' || links.kind === 'unseen'
      ? []
      : links.value.flatMap(({ alias }) => parseHostInterfaceAlias(alias)?.containerId ?? []);
  return new Set([...inRuntime, ...recorded, ...labelled]);
}

/** An ADD writes record and lease before the runtime lists the sandbox, and a DEL removes them after it has gone. */
export const MIN_LEAKED_AGE_MS = 60_000;

/** The leases of containers that no longer exist. */
export function leakedLeases(facts: NodeFacts): readonly LeaseFact[] {
  const { addresses, routes } = facts;
  if (addresses.kind === 'unseen' || routes.kind === 'unseen') return [];
  const living = livingContainers(facts);
  const isRouted = ({ address }: LeaseFact): boolean => routes.value.some((route) => isHostRoute(route, address));
  return addresses.value.leases.filter(
    (lease) =>
      lease.ageMs >= MIN_LEAKED_AGE_MS &&
      !(lease.containerId !== undefined && living.has(lease.containerId)) &&
      !(isRouted(lease) && facts.runtime.kind === 'unseen'),
  );
}

function isHostRoute({ destination, interfaceName }: RouteFact, address: IpAddress): boolean {
  return interfaceName !== undefined && destination.address.text === address.text && isHostPrefix(destination);
}

function isHostPrefix({ address, prefixLength }: Cidr): boolean {
  return prefixLength === (address.family === 'ipv4' ? 32 : 128);
}

/** The part of a range from which on it is nearly full. */
const NEARLY_FULL = 0.9;

function checkLeases(facts: NodeFacts): readonly Finding[] {
  const { addresses } = facts;
  if (addresses.kind === 'unseen') return [skipped('PW305', addresses.why), skipped('PW306', addresses.why)];
  const leaked = leakedLeases(facts);
  const usage = addresses.value.ranges.map((range) => usageOf(range, addresses.value, leaked));
  const full = usage.find(({ free }) => free <= 0);
  const summary = usage.map(({ text }) => text).join('; ') || `${addresses.value.leases.length} leases`;
  const oldest = leaked.toSorted((one, other) => other.ageMs - one.ageMs).slice(0, 3);
  const leak =
    leaked.length === 0
      ? passed('PW305', `no lease is leaked: ${summary}`)
      : found(
          'PW305',
          full === undefined ? 'warning' : 'failed',
          `${leaked.length === 1 ? 'An address belongs' : `${leaked.length} addresses belong`} to no sandbox.`,
          {
            evidence: [
              ['range', summary],
              ...oldest.map(
                ({ address, containerId }) =>
                  ['leaked', `${address.text}, ${containerId?.slice(0, 12) ?? 'no container'}`] as const,
              ),
            ],
            fix: ['podwire gc --yes'],
          },
        );
  const nearly = usage.find(({ size, free }) => free < size * (1 - NEARLY_FULL));
  const filled = full ?? nearly;
  const { maxPods } = nodeObjectOf(facts) ?? {};
  const small = maxPods === undefined ? undefined : usage.find(({ size }) => size < maxPods);
  const fill =
    filled === undefined && small !== undefined && leaked.length === 0
      ? found('PW306', 'warning', `The range ${small.range} is too small for the pods that the kubelet may run.`, {
          evidence: [
            ['range', small.text],
            ['kubelet', `up to ${maxPods} pods (maxPods)`],
          ],
        })
      : filled === undefined || leaked.length > 0
        ? passed('PW306', summary)
        : found(
            'PW306',
            full === undefined ? 'warning' : 'failed',
            `The range ${filled.range} is ${full === undefined ? 'nearly ' : ''}full.`,
            {
              evidence: [['range', filled.text]],
            },
          );
  return [leak, fill];
}

function nodeObjectOf({ api }: NodeFacts): NodeObject | undefined {
  if (api.kind === 'unseen' || api.value.node.kind === 'unseen' || api.value.node.value === 'absent') return undefined;
  return api.value.node.value;
}

function usageOf(range: Cidr, { leases }: AddressFacts, leaked: readonly LeaseFact[]) {
  const size = usableCount(range);
  const used = leases.filter(({ address }) => isInCidr(address, range)).length;
  const lost = leaked.filter(({ address }) => isInCidr(address, range)).length;
  const free = size - used;
  const name = formatCidr(range);
  const counts = size > 1_000_000 ? `${used} in use` : `${used} of ${size} in use, ${Math.max(0, free)} free`;
  return { range: name, size, free, text: `${name}: ${counts}${lost === 0 ? '' : `, ${lost} leaked`}` };
}

/**
 * The host interfaces of this network whose containers have neither a record nor a sandbox in the runtime. Those of other
 * networks have their records elsewhere. (A network with a very long name has only its hash in the label: it is left to GC.)
 */
export function leftLinks({ links, journal, runtime, own }: NodeFacts): readonly LinkFact[] {
  if (links.kind === 'unseen' || journal.kind === 'unseen' || own.kind !== 'valid') return [];
  const recorded = new Set(journal.value.attachments.map(({ containerId }) => containerId));
  const inRuntime = new Set(runtime.kind === 'seen' ? runtime.value.sandboxIds : []);
  return links.value.filter(({ alias }) => {
    const { containerId, network } = parseHostInterfaceAlias(alias) ?? {};
    return (
      containerId !== undefined &&
      network === own.config.name &&
      !recorded.has(containerId) &&
      !inRuntime.has(containerId)
    );
  });
}

function checkLinks(facts: NodeFacts): Finding {
  const { links, journal } = facts;
  if (links.kind === 'unseen') return skipped('PW307', links.why);
  if (journal.kind === 'unseen') return skipped('PW307', journal.why);
  const left = leftLinks(facts);
  if (left.length === 0) return passed('PW307', 'every host interface belongs to an attachment');
  return found(
    'PW307',
    'warning',
    `${left.length === 1 ? 'A host interface belongs' : `${left.length} host interfaces belong`} to no attachment.`,
    {
      evidence: left.slice(0, 3).map(({ name, alias }) => ['interface', `${name} (${alias})`]),
      fix: ['podwire gc --yes'],
    },
  );
}

function checkRoutes({ addresses, routes, own, links }: NodeFacts): Finding {
  if (addresses.kind === 'unseen') return skipped('PW308', addresses.why);
  if (routes.kind === 'unseen') return skipped('PW308', routes.why);
  const labelled = new Set(
    links.kind === 'unseen'
      ? []
      : links.value.filter(({ alias }) => parseHostInterfaceAlias(alias)).map(({ name }) => name),
  );
  const foreign = routes.value.filter(
    ({ destination, interfaceName }) =>
      interfaceName !== undefined &&
      !isOwnInterface(interfaceName, own) &&
      !labelled.has(interfaceName) &&
      addresses.value.ranges.some(
        (range) => isInCidr(destination.address, range) && destination.prefixLength >= range.prefixLength,
      ),
  );
  if (foreign.length === 0) return passed('PW308', 'no other program has a route in the podCIDR');
  return found('PW308', 'warning', 'Another program has a route in the podCIDR of this node.', {
    evidence: foreign.map((route) => ['route', `${formatCidr(route.destination)} dev ${route.interfaceName}`]),
    fix: foreign.map(
      ({ destination, interfaceName }) =>
        `ip${destination.address.family === 'ipv6' ? ' -6' : ''} route del ${formatCidr(destination)} dev ${quoteForShell(interfaceName ?? '')}`,
    ),
  });
}

import { addressBits } from '../address/family.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { MIN_LEAKED_AGE_MS } from './check-addresses.ts';
import { deleteCommands } from './check-machine.ts';
import { findDescription } from './finding-table.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { FailedCommand, NodeFacts, RecordFact, RouteFact } from './facts.ts';
import { formatMoment } from './format-time.ts';

/** Checks the attachments of this node and the commands that failed (PW601 to PW603). */
export function checkAttachments(facts: NodeFacts): readonly Finding[] {
  return [checkLost(facts), checkFailures(facts), checkLeftovers(facts)];
}

function checkLost({ journal, links, routes, packets }: NodeFacts): Finding {
  if (journal.kind === 'unseen') return skipped('PW601', journal.why);
  if (links.kind === 'unseen' || routes.kind === 'unseen')
    return skipped('PW601', 'interfaces and routes cannot be read');
  const attached = journal.value.attachments.filter(
    ({ stage, hasSandbox, isOfEarlierBoot }) => stage === 'attached' && hasSandbox !== false && !isOfEarlierBoot,
  );
  const names = new Set(links.value.map(({ name }) => name));
  const problemOf = ({ hostInterface }: RecordFact): string | undefined => {
    if (!names.has(hostInterface)) return `${hostInterface} is missing`;
    return hasPodRoute(hostInterface, routes.value) ? undefined : `no route leads to ${hostInterface}`;
  };
  const lost = attached.filter((record) => problemOf(record) !== undefined);
  // Of an attachment without an IPv4 address, these settings have no effect.
  const changed = attached
    .filter(({ hostInterface }) => hasPodRoute(hostInterface, routes.value, 'ipv4'))
    .flatMap(({ hostInterface, pod }) =>
      (['proxy_arp', 'forwarding'] as const)
        .filter((name) => packets.interfaceSettings[hostInterface]?.[name] === '0')
        .map((name) => ({ pod, setting: `net.ipv4.conf.${hostInterface}.${name}` })),
    );
  if (lost.length === 0 && changed.length > 0) {
    return found('PW601', 'failed', 'Settings of the interfaces of pods were changed: these pods have no IPv4.', {
      evidence: changed.slice(0, 3).map(({ pod, setting }) => ['pod', `${pod}: ${setting} is 0`]),
      fix: changed.map(({ setting }) => `sysctl -w ${setting}=1`),
    });
  }
  if (lost.length === 0)
    return passed('PW601', `attachments with their interface and route: ${attached.length} of ${attached.length}`);
  return found('PW601', 'failed', `${lost.length} of ${attached.length} pods lost their network on this node.`, {
    evidence: lost.slice(0, 3).map((record) => ['pod', `${record.pod}: ${problemOf(record)}`]),
    fix: deleteCommands(lost),
  });
}

/** True if a route to a single address leads to a host interface. The kernel's own route to its link-local network does not count. */
export function hasPodRoute(
  hostInterface: string,
  routes: readonly RouteFact[],
  family?: IpAddress['family'],
): boolean {
  return routes.some(
    ({ destination: { address, prefixLength }, interfaceName }) =>
      interfaceName === hostInterface &&
      prefixLength === addressBits(address.family) &&
      (family === undefined || address.family === family),
  );
}

/** The runtime tries a pod again within this time. */
const RECENT_MS = 5 * 60_000;

/** The failed commands of the last minutes whose pods still wait. */
function currentFailures({ api, failures, journal, nowMs }: NodeFacts): readonly FailedCommand[] {
  if (failures.kind === 'unseen') return [];
  const attachments = journal.kind === 'seen' ? journal.value.attachments : [];
  const deleted = api.kind === 'seen' ? api.value.deletedPods : [];
  const isAttached = ({ pod }: FailedCommand) =>
    deleted.includes(pod) || attachments.some((item) => item.pod === pod && item.stage === 'attached');
  const isDetached = ({ containerId }: FailedCommand) => !attachments.some((item) => item.containerId === containerId);
  return failures.value.filter(
    (failure) =>
      nowMs - failure.atMs < RECENT_MS &&
      (failure.command === 'ADD' ? !isAttached(failure) : failure.command === 'DEL' && !isDetached(failure)),
  );
}

function checkFailures(facts: NodeFacts): Finding {
  if (facts.failures.kind === 'unseen') return skipped('PW602', facts.failures.why);
  const failures = currentFailures(facts);
  const last = failures.at(-1);
  if (last === undefined) return passed('PW602', 'no pod waits because of a failed command');
  const pods = [...new Set(failures.map(({ pod, containerId }) => pod || containerId))];
  return found('PW602', 'failed', `${last.command} fails for ${pods.length === 1 ? 'a pod' : `${pods.length} pods`}.`, {
    evidence: [
      ['pods', pods.slice(0, 5).join(', ')],
      ['last', formatMoment(last.atMs, facts.nowMs)],
      ['message', last.message],
    ],
  });
}

/** Findings that only the messages of failed commands show: no check of their number has failed. */
export function findingsOfFailures(facts: NodeFacts, findings: readonly Finding[]): readonly Finding[] {
  const reported = new Set(
    findings.filter(({ outcome }) => outcome === 'failed' || outcome === 'warning').map(({ number }) => number),
  );
  const checked = new Set(findings.filter(({ outcome }) => outcome === 'ok').map(({ number }) => number));
  const made = new Map<string, Finding>();
  for (const { number, message, atMs, pod } of currentFailures(facts)) {
    const known = findings.find((finding) => finding.number === number) ?? undefined;
    if (number === undefined || findDescription(number) === undefined || known === undefined) continue;
    if (reported.has(known.number) || checked.has(known.number)) continue;
    const evidence = [
      ['message', message] as const,
      ['last', `${formatMoment(atMs, facts.nowMs)}, of ${pod}`] as const,
    ];
    made.set(number, found(known.number, 'failed', `${findDescription(number)?.title ?? number}.`, { evidence }));
  }
  return [...made.values()];
}

function checkLeftovers({ journal, runtime, nowMs }: NodeFacts): Finding {
  if (journal.kind === 'unseen') return skipped('PW603', journal.why);
  const { pendingEndpointCount } = journal.value;
  const living = new Set(runtime.kind === 'seen' ? runtime.value.sandboxIds : []);
  // The DEL of a living container removes its record, and what is younger is left alone by "podwire gc".
  const damaged = journal.value.damaged.filter(
    ({ containerId, writtenMs }) => !living.has(containerId) && nowMs - writtenMs >= MIN_LEAKED_AGE_MS,
  );
  if (damaged.length + pendingEndpointCount === 0) return passed('PW603', 'no record or endpoint is left over');
  return found('PW603', 'warning', 'Records or endpoints of removed pods are left over.', {
    evidence: [
      ['damaged', damaged.length === 0 ? undefined : damaged.map(({ containerId }) => containerId).join(', ')],
      ['endpoints', pendingEndpointCount === 0 ? undefined : `${pendingEndpointCount} to clear`],
    ],
    fix: ['podwire gc --yes'],
  });
}

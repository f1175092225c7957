import { dirname } from 'node:path';
import { cleanUpItem, cleanUpUnrecorded } from '../attachment/cleanup.ts';
import { listLabelled } from '../attachment/find-known.ts';
import { finishPendingEndpoints } from '../attachment/pending-endpoints.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { leakedLeases, leftLinks, MIN_LEAKED_AGE_MS } from '../diagnosis/check-addresses.ts';
import type { DamagedRecord, LeaseFact, LinkFact, NodeFacts, RecordFact } from '../diagnosis/facts.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { messageOf } from '../system/error-text.ts';
import type { CliIo } from './cli-io.ts';
import { openNodeEffects } from './node-effects.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { observeLocally } from './observe/observe-node.ts';
import { releaseLeases } from './release-leases.ts';

/** What belongs to no sandbox any more. */
export interface Stale {
  readonly records: readonly RecordFact[];
  readonly damaged: readonly DamagedRecord[];
  readonly links: readonly LinkFact[];
  readonly leases: readonly LeaseFact[];
  readonly endpointCount: number;
}

/** What was found, and the network that it belongs to. */
interface ObservedStale {
  readonly stale: Stale;
  readonly config: NetworkConfig;
}

/** What was removed, and what could not be removed. */
interface Removal {
  readonly summary: string;
  readonly failures: readonly string[];
}

/** True if there is nothing to remove. */
export function isEmpty({ records, damaged, links, leases, endpointCount }: Stale): boolean {
  return records.length + damaged.length + links.length + leases.length + endpointCount === 0;
}

/**
 * Finds what belongs to no sandbox on this machine any more: neither does the runtime list its container, nor does its
 * sandbox exist.
 *
 * @returns why it cannot be known, without a network configuration or without the list of the runtime
 */
export async function observeStale(io: CliIo): Promise<ObservedStale | { readonly why: string }> {
  const facts = await observeLocally({
    environment: io.environment,
    executablePath: io.called.executablePath,
    root: '/',
    kubeconfigPath: undefined,
    timeoutMs: 10_000,
  });
  const { own, folders, runtime } = facts;
  if (own.kind !== 'valid') {
    return { why: `${folders.configs} has no valid network configuration for podwire: see "podwire doctor"` };
  }
  if (runtime.kind === 'unseen') {
    return {
      why: `${runtime.why}\nWithout the runtime's list, nothing is removed. Name its socket with CONTAINER_RUNTIME_ENDPOINT.`,
    };
  }
  return { stale: findStale(facts), config: own.config };
}

/** Finds what the runtime does not list and what has no sandbox. */
function findStale(facts: NodeFacts): Stale {
  const { runtime, journal } = facts;
  const inRuntime = new Set(runtime.kind === 'seen' ? runtime.value.sandboxIds : []);
  const attachments = journal.kind === 'seen' ? journal.value.attachments : [];
  const records = attachments.filter(
    ({ containerId, hasSandbox, isOfEarlierBoot, startedMs }) =>
      !inRuntime.has(containerId) &&
      (isOfEarlierBoot || hasSandbox === false) &&
      facts.nowMs - startedMs >= MIN_LEAKED_AGE_MS,
  );
  const damaged = (journal.kind === 'seen' ? journal.value.damaged : []).filter(
    ({ containerId, writtenMs }) => !inRuntime.has(containerId) && facts.nowMs - writtenMs >= MIN_LEAKED_AGE_MS,
  );
  return {
    records,
    damaged,
    links: leftLinks(facts),
    leases: leakedLeases(facts),
    endpointCount: journal.kind === 'seen' ? journal.value.pendingEndpointCount : 0,
  };
}

/** Removes exactly what was shown: a container that began since then has another id, and stays. */
export async function removeStale({ stale, config }: ObservedStale, io: CliIo): Promise<Removal> {
  const failures: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
    }
  };
  await using effects = openNodeEffects(config, pluginFolders(io), io);
  const { journal } = effects;
  let [recordCount, linkCount, leaseCount] = [0, 0, 0];
  const records = new Set([...stale.records, ...stale.damaged].map(keyOf));
  for (const item of journal.list()) {
    if (!records.has(keyOf(item.id)) || (item.kind === 'record' && journal.isInProgress(item.record))) continue;
    await attempt(`container ${item.id.containerId}`, async () => {
      await cleanUpItem(item, config, effects);
      recordCount++;
    });
  }
  const orphans = new Set(stale.links.map(({ name }) => name));
  for (const { id, hostInterface } of await listLabelled(config, effects)) {
    if (!orphans.has(hostInterface.name) || journal.find(id) !== undefined) continue;
    await attempt(`interface ${hostInterface.name}`, async () => {
      await cleanUpUnrecorded(id, config, effects);
      linkCount++;
    });
  }
  await attempt('leases', async () => {
    leaseCount = await releaseLeases(config, openNodeFiles('/', io.environment), stale.leases);
  });
  await finishPendingEndpoints(openApiBudget(effects.cluster, config.budgets.delApiMs), effects);
  const removed = [
    countOf(recordCount, 'attachment'),
    countOf(linkCount, 'interface'),
    `${countOf(leaseCount, 'lease')} without an attachment`,
  ];
  return { summary: `removed ${removed.join(', ')}`, failures };
}

/** Where IPAM plugins are: on the node in the folder of the runtime, in the image beside podwire. */
function pluginFolders({ environment, called }: CliIo): readonly string[] {
  return [...new Set([openNodeFiles('/', environment).layout.here.programs, dirname(called.executablePath)])];
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function keyOf({
  containerId,
  interfaceName,
}: {
  readonly containerId: string;
  readonly interfaceName: string;
}): string {
  return `${containerId}@${interfaceName}`;
}

import { cleanUpItem, cleanUpUnrecorded } from '../attachment/cleanup.ts';
import { listLabelled } from '../attachment/find-known.ts';
import { finishPendingEndpoints } from '../attachment/pending-endpoints.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { leakedLeases, leftLinks, MIN_LEAKED_AGE_MS } from '../diagnosis/check-addresses.ts';
import type { LeaseFact, LinkFact, NodeFacts, RecordFact } from '../diagnosis/facts.ts';
import { formatDuration } from '../diagnosis/format-time.ts';
import { parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { messageOf } from '../system/error-text.ts';
import { EXIT, type CliIo } from './cli-io.ts';
import { openNodeEffects } from './node-effects.ts';
import { observeLocally } from './observe/observe-node.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { releaseLeases } from './release-leases.ts';
import { formatTable } from './table.ts';

/** The options of `podwire gc`. */
export interface GcOptions {
  readonly output: OutputFormat;
  readonly isDryRun: boolean;
  /** Removes without asking. */
  readonly isConfirmed: boolean;
}

/** What belongs to no sandbox any more. */
interface Stale {
  readonly records: readonly RecordFact[];
  readonly links: readonly LinkFact[];
  readonly leases: readonly LeaseFact[];
  readonly endpointCount: number;
}

/**
 * `podwire gc`: finds what belongs to no sandbox any more, shows it, and after a confirmation removes it with the code of
 * the command GC of the CNI protocol.
 *
 * Something is removed only if neither the runtime lists its container nor its sandbox exists.
 *
 * @returns the exit status
 */
export async function runGc(options: GcOptions, io: CliIo): Promise<number> {
  const facts = await observeLocally({
    environment: io.environment,
    executablePath: io.called.executablePath,
    root: '/',
    kubeconfigPath: undefined,
    timeoutMs: 10_000,
  });
  if (facts.own.kind !== 'valid') {
    io.writeStderr(
      `podwire: ${facts.folders.configs} has no valid network configuration for podwire: see "podwire doctor"\n`,
    );
    return EXIT.failure;
  }
  if (facts.runtime.kind === 'unseen') {
    io.writeStderr(
      `podwire: ${facts.runtime.why}\nWithout the runtime's list, nothing is removed. Name its socket with CONTAINER_RUNTIME_ENDPOINT.\n`,
    );
    return EXIT.failure;
  }
  const stale = findStale(facts);
  const count = stale.records.length + stale.links.length + stale.leases.length + stale.endpointCount;
  await io.writeStdout(await formatStale(stale, options.output));
  if (count === 0 || options.isDryRun) return EXIT.fine;
  if (!options.isConfirmed && !(await confirm(io))) return EXIT.failure;
  return removeStale(facts, stale, io);
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
  return {
    records,
    links: leftLinks(facts),
    leases: leakedLeases(facts),
    endpointCount: journal.kind === 'seen' ? journal.value.pendingEndpointCount : 0,
  };
}

/** Removes exactly what was shown: a container that began since then has another id, and stays. */
async function removeStale(facts: NodeFacts, stale: Stale, io: CliIo): Promise<number> {
  const { own, folders } = facts;
  if (own.kind !== 'valid') return EXIT.failure;
  const { config } = own;
  const failures: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    try {
      await action();
    } catch (error) {
      failures.push(`${what}: ${messageOf(error)}`);
    }
  };
  await using effects = openNodeEffects(config, folders.programs, io);
  const { journal } = effects;
  let [recordCount, linkCount, leaseCount] = [0, 0, 0];
  const records = new Set(stale.records.map(keyOf));
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
  io.writeStderr(`removed ${removed.join(', ')}\n`);
  for (const failure of failures) io.writeStderr(`podwire: could not remove ${failure}\n`);
  return failures.length === 0 ? EXIT.fine : EXIT.failure;
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

async function confirm(io: CliIo): Promise<boolean> {
  if (!io.isTerminal(0)) {
    io.writeStderr('podwire: nothing is removed without a confirmation: use --yes in scripts\n');
    return false;
  }
  io.writeStderr('Remove all of this? [y/N] ');
  return /^y(es)?\s*$/i.test(io.readLine());
}

const HEADINGS = ['KIND', 'OBJECT', 'CONTAINER', 'POD', 'AGE'] as const;

function formatStale({ records, links, leases, endpointCount }: Stale, output: OutputFormat): Promise<string> {
  const nowMs = Date.now();
  const rows = [
    ...records.map(({ hostInterface, containerId, pod, startedMs }) => ({
      kind: 'attachment',
      object: hostInterface,
      container: containerId,
      pod,
      age: formatDuration(nowMs - startedMs),
    })),
    ...links.map(({ name, alias }) => ({
      kind: 'interface',
      object: name,
      container: parseHostInterfaceAlias(alias)?.containerId ?? '',
      pod: parseHostInterfaceAlias(alias)?.workload ?? '',
      age: '',
    })),
    ...leases.map(({ address, containerId, ageMs }) => ({
      kind: 'lease',
      object: address.text,
      container: containerId ?? '',
      pod: '',
      age: formatDuration(ageMs),
    })),
  ];
  const notes = endpointCount === 0 ? '' : `${endpointCount} endpoints of removed pods are still to be cleared.\n`;
  const cells = (length: number) =>
    rows.map(({ kind, object, container, pod, age }) => [
      kind,
      object,
      container.slice(0, length),
      pod || '-',
      age || '-',
    ]);
  const empty = endpointCount === 0 ? 'Nothing is left over on this node.\n' : '';
  return formatOutput(output, {
    value: () => ({ schema: 1, stale: rows, pendingEndpoints: endpointCount }),
    table: () => (rows.length === 0 ? `${empty}${notes}` : `${formatTable(HEADINGS, cells(12))}${notes}`),
    wide: () => (rows.length === 0 ? `${empty}${notes}` : `${formatTable(HEADINGS, cells(64), 'any')}${notes}`),
    names: () => rows.map(({ kind, object }) => `${kind}/${object}`),
  });
}

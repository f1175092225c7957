import { formatDuration } from '../diagnosis/format-time.ts';
import { parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import { EXIT, type CliIo } from './cli-io.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { isEmpty, observeStale, removeStale, type Stale } from './stale.ts';
import { formatTable } from './table.ts';

/** The options of `podwire gc`. */
export interface GcOptions {
  readonly output: OutputFormat;
  readonly isDryRun: boolean;
  /** Removes without asking. */
  readonly isConfirmed: boolean;
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
  const found = await observeStale(io);
  if ('why' in found) {
    io.writeStderr(`podwire: ${found.why}\n`);
    return EXIT.failure;
  }
  await io.writeStdout(await formatStale(found.stale, options.output));
  if (isEmpty(found.stale) || options.isDryRun) return EXIT.fine;
  if (!options.isConfirmed && !(await confirm(io))) return EXIT.failure;
  const { summary, failures } = await removeStale(found, io);
  io.writeStderr(`${summary}\n`);
  for (const failure of failures) io.writeStderr(`podwire: could not remove ${failure}\n`);
  return failures.length === 0 ? EXIT.fine : EXIT.failure;
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

function formatStale({ records, damaged, links, leases, endpointCount }: Stale, output: OutputFormat): Promise<string> {
  const nowMs = Date.now();
  const rows = [
    ...records.map(({ hostInterface, containerId, pod, startedMs }) => ({
      kind: 'attachment',
      object: hostInterface,
      container: containerId,
      pod,
      age: formatDuration(nowMs - startedMs),
    })),
    ...damaged.map(({ containerId, writtenMs }) => ({
      kind: 'record',
      object: '(damaged)',
      container: containerId,
      pod: '',
      age: formatDuration(nowMs - writtenMs),
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

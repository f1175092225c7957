import { EXIT, type CliIo } from './cli-io.ts';
import { listEndpoints, listPodCidrs } from './list-cluster.ts';
import { listAttachments, listLeases } from './list-node.ts';
import type { Column, GetOptions, Listing } from './listing.ts';
import { formatOutput } from './output-format.ts';
import { formatTable } from './table.ts';

/** What `podwire get` lists, with the short names that calicoctl has. */
export const RESOURCES = {
  workloadendpoints: ['workloadendpoint', 'weps', 'wep'],
  leases: ['lease'],
  podcidrs: ['podcidr'],
  attachments: ['attachment'],
} as const;

export type Resource = keyof typeof RESOURCES;

/** The resource of a name. */
export function findResource(name: string): Resource | undefined {
  return RESOURCE_NAMES.find((resource) => resource === name || RESOURCES[resource].some((short) => short === name));
}

const RESOURCE_NAMES = [
  'workloadendpoints',
  'leases',
  'podcidrs',
  'attachments',
] as const satisfies readonly Resource[];

/**
 * `podwire get`: lists workload endpoints and podCIDRs of the cluster, or leases and attachments of this node.
 *
 * @returns the exit status
 * @throws {CommandError} if the API or the node cannot be read
 */
export async function runGet(resource: Resource, options: GetOptions, io: CliIo): Promise<number> {
  const listing = await LISTERS[resource](options, io);
  const format = (columns: readonly Column[], maxColumns?: 'any') =>
    listing.rows.length === 0
      ? `No ${resource} were found.\n${listing.note}`
      : `${formatTable(
          columns.map(([heading]) => heading),
          listing.rows.map((row) => columns.map(([, key]) => row[key] || '-')),
          maxColumns,
        )}${listing.note}`;
  await io.writeStdout(
    await formatOutput(options.output, {
      value: () => ({ schema: 1, kind: resource, items: listing.rows }),
      table: () => format(listing.table),
      wide: () => format(listing.wide, 'any'),
      names: () => listing.rows.map(listing.nameOf),
    }),
  );
  return EXIT.fine;
}

const LISTERS: Readonly<Record<Resource, (options: GetOptions, io: CliIo) => Promise<Listing>>> = {
  workloadendpoints: listEndpoints,
  leases: listLeases,
  podcidrs: listPodCidrs,
  attachments: listAttachments,
};

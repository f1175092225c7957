import { hostname } from 'node:os';
import { formatCidr } from '../address/cidr.ts';
import { leakedLeases } from '../diagnosis/check-addresses.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { formatDuration } from '../diagnosis/format-time.ts';
import { isInCidr, usableCount } from '../diagnosis/range.ts';
import { CommandError, type CliIo } from './cli-io.ts';
import { observeIfNode, stateOf, type Column, type GetOptions, type Listing } from './listing.ts';
import { observeLocally, observeNode } from './observe/observe-node.ts';

/**
 * Lists the attachments of this node, as the journal has them.
 *
 * @throws {CommandError} if this is not a node with podwire
 */
export async function listAttachments(_: GetOptions, io: CliIo): Promise<Listing> {
  const local = await observeThisNode(io);
  if (local.journal.kind === 'unseen') throw new CommandError(`the journal cannot be read: ${local.journal.why}`);
  const leases = local.addresses.kind === 'seen' ? local.addresses.value.leases : [];
  const rows = local.journal.value.attachments.map((record) => ({
    pod: record.pod,
    container: record.containerId.slice(0, 12),
    containerId: record.containerId,
    interface: record.hostInterface,
    addresses: leases
      .filter(({ containerId }) => containerId === record.containerId)
      .map(({ address }) => address.text)
      .join(', '),
    stage: record.stage,
    age: formatDuration(local.nowMs - record.startedMs),
    state: stateOf(record, local),
  }));
  const columns: readonly Column[] = [
    ['POD', 'pod'],
    ['CONTAINER', 'container'],
    ['INTERFACE', 'interface'],
    ['ADDRESSES', 'addresses'],
    ['AGE', 'age'],
    ['STATE', 'state'],
  ];
  return {
    rows,
    table: columns,
    wide: withWholeIds(columns),
    nameOf: (row) => row['pod'] || row['containerId'] || '',
    note: '',
  };
}

/**
 * Lists the leases of this node, and which of them are leaked.
 *
 * @throws {CommandError} if this is not a node with podwire
 */
export async function listLeases(_: GetOptions, io: CliIo): Promise<Listing> {
  const local = await observeThisNode(io, observeNode);
  if (local.addresses.kind === 'unseen') throw new CommandError(local.addresses.why);
  const { leases, ranges } = local.addresses.value;
  const leaked = new Set(leakedLeases(local).map(({ address }) => address.text));
  const podOf = (containerId: string | undefined) =>
    local.journal.kind === 'seen'
      ? (local.journal.value.attachments.find((record) => record.containerId === containerId)?.pod ?? '')
      : '';
  const rows = leases.map(({ address, containerId, ageMs }) => ({
    address: address.text,
    container: containerId?.slice(0, 12) ?? '',
    containerId: containerId ?? '',
    pod: podOf(containerId),
    age: formatDuration(ageMs),
    state: leaked.has(address.text) ? 'LEAKED' : 'in use',
  }));
  const usage = ranges.map((range) => {
    const used = leases.filter(({ address }) => isInCidr(address, range)).length;
    return `${formatCidr(range)}: ${used} of ${usableCount(range)} leased.\n`;
  });
  const release = leaked.size === 0 ? '' : `${leaked.size} leaked: release them with "podwire gc" (it asks first).\n`;
  const columns: readonly Column[] = [
    ['ADDRESS', 'address'],
    ['CONTAINER', 'container'],
    ['POD', 'pod'],
    ['AGE', 'age'],
    ['STATE', 'state'],
  ];
  return {
    rows,
    table: columns,
    wide: withWholeIds(columns),
    nameOf: (row) => row['address'] ?? '',
    note: rows.length === 0 ? '' : `\n${usage.join('')}${release}`,
  };
}

/** The same columns, with container ids that are not shortened. */
function withWholeIds(columns: readonly Column[]): readonly Column[] {
  return columns.map(([heading, key]) => (key === 'container' ? [heading, 'containerId'] : [heading, key]));
}

async function observeThisNode(io: CliIo, observe = observeLocally): Promise<NodeFacts> {
  const local = await observeIfNode(io, observe);
  if (local === undefined)
    throw new CommandError(`${hostname()} is not a node with podwire: run this on a node, or in its podwire pod`);
  return local;
}

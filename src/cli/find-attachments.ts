import { statSync } from 'node:fs';
import { join } from 'node:path';
import { leaseFolder, readLeases, type LeaseFile } from '../delegate/host-local-leases.ts';
import { openJournal } from '../journal/journal.ts';
import type { AttachmentRecord } from '../journal/record.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planLookup } from '../plan/delegation.ts';
import type { NodeFiles } from './observe/node-files.ts';

/** An attachment of this node, as the journal has it. */
export interface FoundAttachment {
  readonly record: AttachmentRecord;
  readonly recordPath: string;
  readonly startedMs: number;
  readonly leases: readonly LeaseFile[];
}

/**
 * Finds the attachments that a name stands for: NAMESPACE/POD, a pod of any namespace, a container id or its beginning,
 * an address, or a host interface.
 */
export function findAttachments(target: string, config: NetworkConfig, files: NodeFiles): readonly FoundAttachment[] {
  return listAttachments(config, files).filter(({ record: { attachment }, leases }) => {
    const { id, pod, hostInterface } = attachment;
    return (
      (pod !== undefined && (`${pod.namespace}/${pod.name}` === target || pod.name === target)) ||
      (target.length >= MIN_PREFIX_LENGTH && id.containerId.startsWith(target)) ||
      hostInterface.name === target ||
      leases.some(({ address }) => address.text === target || `${address.text}/32` === target)
    );
  });
}

/** A shorter text would name a container by accident. */
const MIN_PREFIX_LENGTH = 3;

/** All attachments of a network on this node. */
export function listAttachments(config: NetworkConfig, files: NodeFiles): readonly FoundAttachment[] {
  const records = files.layout.here.state;
  const journal = openJournal(
    config.name,
    { warning: () => undefined },
    { records, rejected: '/run/podwire/rejected' },
  );
  const folder = leaseFolder(planLookup(config));
  const leases = folder === undefined ? [] : readLeases(files.at(folder));
  return journal.list().flatMap((item) => {
    if (item.kind === 'damaged') return [];
    const { containerId, interfaceName } = item.id;
    const recordPath = join(records, 'networks', config.name, `${containerId}@${interfaceName}.record.json`);
    return [
      {
        record: item.record,
        recordPath,
        startedMs: statSync(recordPath, { throwIfNoEntry: false })?.mtimeMs ?? 0,
        leases: leases.filter((lease) => lease.containerId === containerId),
      },
    ];
  });
}

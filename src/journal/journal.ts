import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  isCniName,
  isInterfaceName,
  parseContainerId,
  parseInterfaceName,
  type AttachmentId,
} from '../cni/attachment-id.ts';
import type { Attachment } from '../plan/attachment.ts';
import type { AttachmentStage } from '../plan/detachment.ts';
import { createFile, readNames, readText, removeAbandonedFiles, removeFile, replaceFile } from '../system/files.ts';
import { isRunning, ownIdentity } from '../system/process-identity.ts';
import { formatRecord, parseRecord, type AttachmentRecord } from './record.ts';

/** The default directory of the records of all networks. It is on a disk, because leases survive a reboot, too. */
const JOURNAL_FOLDER = '/var/lib/podwire';

/** A record, or a damaged one, of which only the file's name can be read. */
export type JournalItem =
  | { readonly kind: 'record'; readonly id: AttachmentId; readonly record: AttachmentRecord }
  | { readonly kind: 'damaged'; readonly id: AttachmentId };

/**
 * The records of one network: what was begun on this node and is not finished.
 *
 * A record that cannot be written is a warning, not an error: an ADD must not fail because a disk is full.
 */
export interface Journal {
  /** Writes the record of an ADD that begins. `exists`: this attachment has a record already, which stays as it is. */
  begin(attachment: Attachment): JournalEntry | 'exists';
  find(id: AttachmentId): JournalItem | undefined;
  /** Notes that a DEL has begun: from now on a missing link is not a fault. */
  markDetaching(attachment: Attachment): void;
  /** The attachments that were begun on this node and not removed, in any order. */
  list(): readonly JournalItem[];
  /** Removes incomplete files that killed processes have left. */
  tidy(): void;
  /** The attachments of which only the endpoint remains to be cleared. */
  listEndpoints(): readonly JournalItem[];
  /** Notes that an attachment is removed from the node, and that its endpoint remains to be cleared. */
  keepEndpoint(attachment: Attachment): void;
  /** Removes everything that is noted about an attachment, its endpoint included. */
  remove(id: AttachmentId): void;
  isOfEarlierBoot(record: AttachmentRecord): boolean;
  /** True while the ADD that wrote the record is running. */
  isInProgress(record: AttachmentRecord): boolean;
  /** True for the first caller after a boot, which then releases what the records of earlier boots name. */
  beginSweep(): boolean;
  endSweep(): void;
}

/** The record of an ADD, in the hands of this ADD. */
export interface JournalEntry {
  /** False if a DEL or GC has removed the record in the meantime. */
  isCurrent(): boolean;
  /** Notes that the runtime has the result. */
  markAttached(): void;
}

/** The part of a log that the journal needs. */
interface JournalLog {
  warning(message: string): void;
}

const SWEPT_FILE = 'swept-boot';

/**
 * Opens the journal of a network. Nothing is read or created before it is needed.
 *
 * @param network a name that is safe as the name of a directory
 */
export function openJournal(network: string, log: JournalLog, parentFolder = JOURNAL_FOLDER): Journal {
  const folder = join(parentFolder, network);
  const sweptFile = join(folder, SWEPT_FILE);
  const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const attempt = <Value>(what: string, action: () => Value): Value | undefined => {
    try {
      return action();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warning(`the journal cannot ${what}: ${why}; a crash now may leave state that must be cleaned up manually`);
      return undefined;
    }
  };
  const recordOf = (attachment: Attachment, stage: AttachmentStage): string =>
    formatRecord({ attachment, stage, bootId: bootId(), process: ownIdentity() });
  const replaceRecord = (attachment: Attachment, stage: AttachmentStage): void => {
    const path = pathOf(folder, attachment.id, 'record');
    attempt(`write ${path}`, () => replaceFile(path, recordOf(attachment, stage)));
  };

  return {
    begin(attachment) {
      const path = pathOf(folder, attachment.id, 'record');
      const text = attempt(`write ${path}`, () => recordOf(attachment, 'attaching'));
      const outcome = text === undefined ? undefined : attempt(`write ${path}`, () => createFile(path, text));
      if (outcome === 'exists') return 'exists';
      // This ADD writes the endpoint again.
      attempt('remove the note of an earlier endpoint', () => removeFile(pathOf(folder, attachment.id, 'endpoint')));
      return {
        isCurrent: () => outcome === undefined || readText(path) === text,
        markAttached() {
          if (outcome !== undefined) replaceRecord(attachment, 'attached');
        },
      };
    },
    find(id) {
      const text = readText(pathOf(folder, id, 'record'));
      return text === undefined ? undefined : itemOf(text, id, network);
    },
    markDetaching: (attachment) => replaceRecord(attachment, 'detaching'),
    list: () => listItems(folder, network, 'record'),
    tidy() {
      attempt('remove incomplete files', () => removeAbandonedFiles(folder));
    },
    listEndpoints: () => listItems(folder, network, 'endpoint'),
    keepEndpoint(attachment) {
      const path = pathOf(folder, attachment.id, 'endpoint');
      attempt(`write ${path}`, () => replaceFile(path, recordOf(attachment, 'endpoint')));
      attempt(`remove ${path}`, () => removeFile(pathOf(folder, attachment.id, 'record')));
    },
    remove(id) {
      for (const kind of KINDS) {
        const path = pathOf(folder, id, kind);
        attempt(`remove ${path}`, () => removeFile(path));
      }
    },
    isOfEarlierBoot: (record) => record.bootId !== bootId(),
    isInProgress: ({ stage, process }) => stage === 'attaching' && isRunning(process),
    beginSweep() {
      const [sweptBootId, pid, startTicks = ''] = readText(sweptFile)?.trim().split(' ') ?? [];
      const isTaken = pid === undefined || isRunning({ pid: Number(pid), startTicks });
      if (sweptBootId === bootId() && isTaken) return false;
      const self = ownIdentity();
      attempt(`write ${sweptFile}`, () => replaceFile(sweptFile, `${bootId()} ${self.pid} ${self.startTicks}\n`));
      return true;
    },
    endSweep() {
      attempt(`write ${sweptFile}`, () => replaceFile(sweptFile, `${bootId()}\n`));
    },
  };
}

const KINDS = ['record', 'endpoint'] as const;
type Kind = (typeof KINDS)[number];

// A container id contains no `@`; an interface name may contain one.
function pathOf(folder: string, { containerId, interfaceName }: AttachmentId, kind: Kind): string {
  return join(folder, `${containerId}@${interfaceName}.${kind}.json`);
}

function listItems(folder: string, network: string, kind: Kind): readonly JournalItem[] {
  return readNames(folder).flatMap((name) => {
    const [, containerId = '', interfaceName = '', found] = /^([^@]+)@(.+)\.(record|endpoint)\.json$/.exec(name) ?? [];
    if (found !== kind || !isCniName(containerId) || !isInterfaceName(interfaceName)) return [];
    const text = readText(join(folder, name));
    const id = { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
    return text === undefined ? [] : [itemOf(text, id, network)];
  });
}

function itemOf(text: string, id: AttachmentId, network: string): JournalItem {
  const record = parseRecord(text, id, network);
  return record === undefined ? { kind: 'damaged', id } : { kind: 'record', id, record };
}

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import {
  isCniName,
  isInterfaceName,
  parseContainerId,
  parseInterfaceName,
  type AttachmentId,
} from '../cni/attachment-id.ts';
import type { Attachment } from '../plan/attachment.ts';
import { isUnfinished, type AttachmentStage } from '../plan/detachment.ts';
import { isSameBoot, readBootIdentity, type BootIdentity } from '../system/boot-identity.ts';
import { createFile, readNames, readText, removeAbandonedFiles } from '../system/files.ts';
import { openLibcLoader } from '../system/libc.ts';
import { isRunning, ownIdentity } from '../system/process-identity.ts';
import { openOwnRecord, type OwnRecord } from './own-record.ts';
import { recordFolder } from './record-folder.ts';
import { readRecordText, removeRecordFile, replaceRecordFile } from './record-file.ts';
import { formatRecord, parseRecord, type AttachmentRecord } from './record.ts';
import { supersedeRecord } from './supersede-record.ts';
import { messageOf } from '../system/error-text.ts';

/** Where the journal keeps its files, in a directory for each network. */
export interface JournalFolders {
  /** On a disk, because leases survive a reboot. */
  readonly records: string;
  /** The notes about rejected ADDs. They end with the boot, as the sandboxes do. */
  readonly rejected: string;
}

const FOLDERS: JournalFolders = { records: '/var/lib/podwire', rejected: '/run/podwire/rejected' };

/** A record, or a damaged one, of which only the file's name can be read. */
export type JournalItem =
  | (NamedAttachment & { readonly kind: 'record'; readonly record: AttachmentRecord })
  | (NamedAttachment & { readonly kind: 'damaged' });

/**
 * The records of one network: what was begun on this node and is not finished.
 *
 * A record that cannot be written is a warning, not an error: an ADD must not fail because a disk is full.
 */
export interface Journal {
  /** Writes the record of an ADD that begins. `exists`: this attachment has a record already, which stays as it is. */
  begin(attachment: Attachment): JournalEntry | 'exists';
  /** @param network another network's name, to find what it recorded */
  find(id: AttachmentId, network?: string): JournalItem | undefined;
  /**
   * Makes an ADD that is running undo its work, and keeps its record until it has: the ADD can still be killed.
   *
   * @returns `finished`: the ADD has finished its work and returns its result, so that it must be removed like any other
   */
  supersede(attachment: NamedAttachment): 'superseded' | 'finished';
  /** Notes that a newer sandbox of the same pod has the host interface. An ADD of this attachment that is running undoes its work. */
  markReplaced(attachment: NamedAttachment): void;
  /** Notes that a DEL has begun: from now on a missing link is not a fault. */
  markDetaching(attachment: Attachment): void;
  /** The attachments that were begun on this node and not removed, in any order. */
  list(): readonly JournalItem[];
  /** Removes incomplete files that killed processes have left. */
  tidy(): void;
  /** The attachments of which only the endpoint remains to be cleared. */
  listEndpoints(): readonly JournalItem[];
  /** How long ago {@link keepEndpoint} noted an endpoint, by the wall clock; 0 if the note is gone. */
  endpointAgeMs(attachment: NamedAttachment): number;
  /** Notes that the endpoint of an attachment remains to be cleared. */
  noteEndpoint(attachment: Attachment): void;
  /** The same for an attachment that is removed from the node: its record is not needed any more. */
  keepEndpoint(attachment: Attachment): void;
  /**
   * Removes everything that is noted about an attachment, its endpoint included, and what other networks noted because of it: that an ADD was
   * rejected. The record of an ADD that another process is running stays: that ADD removes it.
   */
  remove(attachment: NamedAttachment): void;
  /** Notes that an ADD to this network was rejected, because the interface exists: what exists belongs to another network. */
  noteRejected(id: AttachmentId): void;
  wasRejected(id: AttachmentId): boolean;
  forgetRejected(id: AttachmentId): void;
  /** The attachments whose ADD was rejected. */
  listRejected(): readonly AttachmentId[];
  isOfEarlierBoot(record: AttachmentRecord): boolean;
  /** True while the ADD that wrote the record is running. */
  isInProgress(record: AttachmentRecord): boolean;
  /** True for the first caller after a boot, which then releases what the records of earlier boots name. */
  beginSweep(): boolean;
  endSweep(): void;
}

/** What names an attachment in the journal. */
type NamedAttachment = Pick<Attachment, 'id' | 'network'>;

/** The record of an ADD, in the hands of this ADD. */
export interface JournalEntry {
  /** Notes that this ADD has done its work and returns its result, unless a DEL or GC has overtaken it: then it must undo its work. */
  beginReturn(): 'current' | 'superseded';
  /** Notes that the runtime has the result. */
  markAttached(): void;
  /** Removes the record of an ADD that has undone its work. */
  remove(): void;
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
export function openJournal(
  network: string,
  log: JournalLog,
  { records: parentFolder, rejected: rejectedFolder } = FOLDERS,
  libc = openLibcLoader(),
): Journal {
  const folder = recordFolder(parentFolder, network);
  const folderOf = (name: string): string => (name === network ? folder : recordFolder(parentFolder, name));
  const pathOf = ({ id, network: name }: NamedAttachment, kind: Kind): string =>
    join(kind === 'rejected' ? join(rejectedFolder, name) : folderOf(name), fileName(id, kind));
  const sweptFile = join(folder, SWEPT_FILE);
  let knownBoot: BootIdentity | undefined;
  const boot = (): BootIdentity => (knownBoot ??= readBootIdentity(libc));
  const attempt = <Value>(what: string, action: () => Value): Value | undefined => {
    try {
      return action();
    } catch (error) {
      const why = messageOf(error);
      log.warning(`the journal cannot ${what}: ${why}; a crash now may leave state that must be cleaned up manually`);
      return undefined;
    }
  };
  const readItem = (attachment: NamedAttachment): JournalItem | undefined => {
    const text = readRecordText(pathOf(attachment, 'record'));
    return text === undefined ? undefined : itemOf(text, attachment.id, attachment.network);
  };
  const isInProgress = ({ stage, process }: AttachmentRecord): boolean => isUnfinished(stage) && isRunning(process);
  const removeKind = (attachment: NamedAttachment, kind: Kind): void => {
    const path = pathOf(attachment, kind);
    attempt(`remove ${path}`, () => removeRecordFile(path));
  };
  const removeRecord = (attachment: NamedAttachment): void => {
    const item = readItem(attachment);
    const isOfOtherAdd = item?.kind === 'record' && isInProgress(item.record) && !isOwn(item.record);
    if (!isOfOtherAdd) removeKind(attachment, 'record');
  };
  const forgetRejections = ({ id, network: own }: NamedAttachment): void => {
    for (const name of readNames(rejectedFolder)) if (name !== own) removeKind({ id, network: name }, 'rejected');
  };
  const noteEndpoint = (attachment: Attachment): void => {
    const path = pathOf(attachment, 'endpoint');
    attempt(`write ${path}`, () => replaceRecordFile(path, recordOf(attachment, 'endpoint')));
  };
  const recordOf = (attachment: Attachment, stage: AttachmentStage): string =>
    formatRecord({ attachment, stage, boot: boot(), process: ownIdentity() });
  const replaceRecord = (attachment: Attachment, stage: AttachmentStage): void => {
    const path = pathOf(attachment, 'record');
    attempt(`write ${path}`, () => replaceRecordFile(path, recordOf(attachment, stage)));
  };

  return {
    begin(attachment) {
      const path = pathOf(attachment, 'record');
      const text = attempt(`write ${path}`, () => recordOf(attachment, 'attaching'));
      const outcome = text === undefined ? undefined : attempt(`write ${path}`, () => createFile(path, text));
      if (outcome === 'exists') return 'exists';
      // This ADD writes the endpoint again.
      attempt('remove the note of an earlier endpoint', () => removeRecordFile(pathOf(attachment, 'endpoint')));
      attempt('remove the note of a rejected ADD', () => removeRecordFile(pathOf(attachment, 'rejected')));
      let own: OwnRecord | undefined;
      return {
        beginReturn() {
          if (text === undefined || outcome === undefined) return 'current';
          own = openOwnRecord(path, text);
          // In this order: a DEL replaces the file first, and then reads the stage in the old one.
          attempt(`write ${path}`, () => own?.writeStage('returning'));
          if (own?.hasName() === true) return 'current';
          own?.[Symbol.dispose]();
          own = undefined;
          return 'superseded';
        },
        markAttached() {
          attempt(`write ${path}`, () => own?.writeStage('attached'));
          own?.[Symbol.dispose]();
          own = undefined;
        },
        remove() {
          const item = readItem(attachment);
          const isOthers = item?.kind === 'record' && (item.record.stage === 'detaching' || !isOwn(item.record));
          if (!isOthers) removeKind(attachment, 'record');
          forgetRejections(attachment);
        },
      };
    },
    supersede(attachment) {
      const path = pathOf(attachment, 'record');
      const overtaken = attempt(`write ${path}`, () => supersedeRecord(path, attachment));
      if (overtaken !== undefined) return overtaken;
      removeKind(attachment, 'record'); // so that the ADD still finds out
      return 'finished';
    },
    find: (id, inNetwork = network) => readItem({ id, network: inNetwork }),
    markReplaced(attachment) {
      const item = readItem(attachment);
      if (item?.kind !== 'record') return;
      const path = pathOf(attachment, 'record');
      attempt(`write ${path}`, () => replaceRecordFile(path, formatRecord({ ...item.record, stage: 'replaced' })));
    },
    markDetaching: (attachment) => replaceRecord(attachment, 'detaching'),
    list: () => listItems(folder, network, 'record'),
    tidy() {
      attempt('remove incomplete files', () => removeAbandonedFiles(folder));
    },
    listEndpoints: () => listItems(folder, network, 'endpoint'),
    endpointAgeMs: (attachment) => ageMs(pathOf(attachment, 'endpoint')),
    noteEndpoint,
    keepEndpoint(attachment) {
      noteEndpoint(attachment);
      removeRecord(attachment);
    },
    noteRejected(id) {
      const path = pathOf({ id, network }, 'rejected');
      attempt(`write ${path}`, () => replaceRecordFile(path, '{}\n'));
    },
    forgetRejected: (id) => removeKind({ id, network }, 'rejected'),
    wasRejected: (id) => readText(pathOf({ id, network }, 'rejected')) !== undefined,
    listRejected: () => listIds(join(rejectedFolder, network), 'rejected').map(({ id }) => id),
    remove(attachment) {
      removeRecord(attachment);
      removeKind(attachment, 'endpoint');
      forgetRejections(attachment);
    },
    isOfEarlierBoot: (record) => !isSameBoot(record.boot, boot()),
    isInProgress,
    beginSweep() {
      const [swept = '', pid, startTicks = ''] = readText(sweptFile)?.trim().split(' ') ?? [];
      const isTaken = pid === undefined || isRunning({ pid: Number(pid), startTicks });
      if (isSameBoot(parseBoot(swept), boot()) && isTaken) return false;
      const self = ownIdentity();
      attempt(`write ${sweptFile}`, () =>
        replaceRecordFile(sweptFile, `${formatBoot(boot())} ${self.pid} ${self.startTicks}\n`),
      );
      return true;
    },
    endSweep() {
      attempt(`write ${sweptFile}`, () => replaceRecordFile(sweptFile, `${formatBoot(boot())}\n`));
    },
  };
}

type Kind = 'record' | 'endpoint' | 'rejected';

function isOwn({ process }: AttachmentRecord): boolean {
  const self = ownIdentity();
  return process.pid === self.pid && process.startTicks === self.startTicks;
}

function formatBoot({ bootId, hostNetns }: BootIdentity): string {
  return `${bootId}/${hostNetns}`;
}

function parseBoot(text: string): BootIdentity {
  const [bootId = '', hostNetns] = text.split('/');
  return { bootId, hostNetns };
}

// A container id contains no `@`; an interface name may contain one.
function fileName({ containerId, interfaceName }: AttachmentId, kind: Kind): string {
  return `${containerId}@${interfaceName}.${kind}.json`;
}

function listItems(folder: string, network: string, kind: Kind): readonly JournalItem[] {
  return listIds(folder, kind).flatMap(({ id, path }) => {
    const text = readRecordText(path);
    return text === undefined ? [] : [itemOf(text, id, network)];
  });
}

function listIds(folder: string, kind: Kind): readonly { readonly id: AttachmentId; readonly path: string }[] {
  return readNames(folder).flatMap((name) => {
    const [, containerId = '', interfaceName = '', found] =
      /^([^@]+)@(.+)\.(record|endpoint|rejected)\.json$/.exec(name) ?? [];
    if (found !== kind || !isCniName(containerId) || !isInterfaceName(interfaceName)) return [];
    const id = { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
    return [{ id, path: join(folder, name) }];
  });
}

function ageMs(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

function itemOf(text: string, id: AttachmentId, network: string): JournalItem {
  const record = parseRecord(text, id, network);
  return record === undefined ? { kind: 'damaged', id, network } : { kind: 'record', id, network, record };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  isCniName,
  isInterfaceName,
  parseContainerId,
  parseInterfaceName,
  type AttachmentId,
} from '../cni/attachment-id.ts';
import { createFile, readNames, readText, removeAbandoned, removeFile, replaceFile } from '../system/files.ts';
import { isRunning, ownIdentity } from '../system/process-identity.ts';
import { formatRecord, parseRecord, type AttachmentRecord } from './record.ts';

/** Where the records of all networks are, unless told. On a disk that outlives a reboot: leases do, too. */
const JOURNAL_FOLDER = '/var/lib/podwire';

/** What an ADD knows about its attachment before it does anything. */
export type AttachmentFacts = Omit<AttachmentRecord, 'stage' | 'bootId' | 'process'>;

/** One record, or what is left of one: the file's name still says whose it was. */
export interface JournalItem {
  readonly attachment: AttachmentId;
  readonly record: AttachmentRecord | 'damaged';
}

/** The records of one network. What cannot be written is warned of and lost: an ADD must not fail because a disk is full. */
export interface Journal {
  /** Writes the record of an ADD that begins; `exists` if there is one of this attachment, which is left as it is. */
  begin(attachment: AttachmentId, facts: AttachmentFacts): JournalEntry | 'exists';
  find(attachment: AttachmentId): AttachmentRecord | 'damaged' | undefined;
  /** Notes that a DEL has begun: a link that is gone from now on is no pod's loss. */
  markDetaching(attachment: AttachmentId, record: AttachmentRecord): void;
  /** The attachments that were begun on this node and not taken down, in no order. */
  list(): readonly JournalItem[];
  /** Removes half-written files that killed processes have left. */
  tidy(): void;
  /** The attachments of which only the endpoint is still to be cleared. */
  listEndpoints(): readonly JournalItem[];
  /** Notes that an attachment is off the node, its endpoint not yet cleared. */
  keepEndpoint(attachment: AttachmentId, facts: AttachmentFacts): void;
  /** Forgets an attachment, its endpoint included. */
  remove(attachment: AttachmentId): void;
  isOfEarlierBoot(record: AttachmentRecord): boolean;
  /** True for an ADD that is at work at this moment. */
  isInProgress(record: AttachmentRecord): boolean;
  /** True for the first caller after a boot, who then releases what the records of earlier boots name. */
  beginSweep(): boolean;
  endSweep(): void;
}

/** The record of the ADD that has begun it. */
export interface JournalEntry {
  /** False if a DEL or GC has taken the attachment down meanwhile. */
  isStillThere(): boolean;
  /** The runtime has the result. */
  markAttached(): void;
  /**
   * An undo that does not throw: its error would hide the one that made undoing necessary. It is logged, and the record is kept for DEL
   * and GC.
   */
  undoing(what: string, undo: () => Promise<void>): () => Promise<void>;
  /** Forgets the attachment, unless an undo has failed. */
  close(): void;
}

/** The part of a log that this needs. */
interface JournalLog {
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}

const SWEPT_FILE = 'swept-boot';

/**
 * Opens the journal of a network. Nothing is read or made before it is needed.
 *
 * @param network a name that is safe as a folder's
 */
export function openJournal(network: string, log: JournalLog, parentFolder = JOURNAL_FOLDER): Journal {
  const folder = join(parentFolder, network);
  const sweptFile = join(folder, SWEPT_FILE);
  const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const attempt = <Value>(what: string, action: () => Value): Value | undefined => {
    try {
      return action();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      log.warning(`the journal cannot ${what}, after a crash this may be left to clean up by hand: ${why}`);
      return undefined;
    }
  };
  const recordOf = (facts: AttachmentFacts, stage: AttachmentRecord['stage']): string =>
    formatRecord({ ...facts, stage, bootId: bootId(), process: ownIdentity() });
  const isInProgress = ({ stage, process }: AttachmentRecord) => stage === 'attaching' && isRunning(process);

  const journal: Journal = {
    begin(attachment, facts) {
      const path = pathOf(folder, attachment, 'record');
      const text = attempt(`write ${path}`, () => recordOf(facts, 'attaching'));
      const outcome = text === undefined ? undefined : attempt(`write ${path}`, () => createFile(path, text));
      if (outcome === 'exists') return 'exists';
      // It is about to be written anew.
      attempt('forget an earlier endpoint', () => removeFile(pathOf(folder, attachment, 'endpoint')));
      let isKept = false;
      return {
        isStillThere: () => outcome === undefined || readText(path) === text,
        markAttached() {
          if (outcome !== undefined) attempt(`write ${path}`, () => replaceFile(path, recordOf(facts, 'attached')));
        },
        undoing: (what, undo) => async () => {
          log.info(`undoing: ${what}`);
          try {
            await undo();
          } catch (error) {
            isKept = true;
            log.error(
              `${what} could not be undone, DEL will try again: ${error instanceof Error ? error.message : String(error)}`,
            );
          }
        },
        close() {
          if (!isKept) journal.remove(attachment);
        },
      };
    },
    find(attachment) {
      const text = readText(pathOf(folder, attachment, 'record'));
      return text === undefined ? undefined : (parseRecord(text) ?? 'damaged');
    },
    markDetaching(attachment, record) {
      const path = pathOf(folder, attachment, 'record');
      attempt(`write ${path}`, () => replaceFile(path, formatRecord({ ...record, stage: 'detaching' })));
    },
    list: () => listItems(folder, 'record'),
    tidy() {
      attempt('remove half-written files', () => removeAbandoned(folder));
    },
    listEndpoints: () => listItems(folder, 'endpoint'),
    keepEndpoint(attachment, facts) {
      const path = pathOf(folder, attachment, 'endpoint');
      attempt(`write ${path}`, () => replaceFile(path, recordOf(facts, 'endpoint')));
      attempt(`remove ${path}`, () => removeFile(pathOf(folder, attachment, 'record')));
    },
    remove(attachment) {
      for (const kind of KINDS) {
        const path = pathOf(folder, attachment, kind);
        attempt(`remove ${path}`, () => removeFile(path));
      }
    },
    isOfEarlierBoot: (record) => record.bootId !== bootId(),
    isInProgress,
    beginSweep() {
      const [sweptBootId, pid, startTicks] = readText(sweptFile)?.trim().split(' ') ?? [];
      const isDone = sweptBootId === bootId() && pid === undefined;
      const isAtWork =
        sweptBootId === bootId() && pid !== undefined && isRunning({ pid: Number(pid), startTicks: startTicks ?? '' });
      if (isDone || isAtWork) return false;
      const self = ownIdentity();
      attempt(`write ${sweptFile}`, () => replaceFile(sweptFile, `${bootId()} ${self.pid} ${self.startTicks}\n`));
      return true;
    },
    endSweep() {
      attempt(`write ${sweptFile}`, () => replaceFile(sweptFile, `${bootId()}\n`));
    },
  };
  return journal;
}

const KINDS = ['record', 'endpoint'] as const;
type Kind = (typeof KINDS)[number];

// A container id has no `@`; the name of an interface can have one.
function pathOf(folder: string, { containerId, interfaceName }: AttachmentId, kind: Kind): string {
  return join(folder, `${containerId}@${interfaceName}.${kind}.json`);
}

function listItems(folder: string, kind: Kind): readonly JournalItem[] {
  return readNames(folder).flatMap((name) => {
    const [, containerId = '', interfaceName = '', found] = /^([^@]+)@(.+)\.(record|endpoint)\.json$/.exec(name) ?? [];
    if (found !== kind || !isCniName(containerId) || !isInterfaceName(interfaceName)) return [];
    const text = readText(join(folder, name));
    const attachment = { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
    return text === undefined ? [] : [{ attachment, record: parseRecord(text) ?? 'damaged' }];
  });
}

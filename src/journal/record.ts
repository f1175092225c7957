import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { openReader, type JsonSource } from '../json/json-reader.ts';
import { parseJsonObject } from '../json/json.ts';
import { OBJECT, PLUGIN_NAME, TEXT, wholeNumber, type Shape } from '../json/shapes.ts';
import { attachmentFromRecord, type Attachment } from '../plan/attachment.ts';
import type { AttachmentStage } from '../plan/detachment.ts';
import type { BootIdentity } from '../system/boot-identity.ts';
import { sha1 } from '../system/sha1.ts';
import type { ProcessIdentity } from '../system/process-identity.ts';

/**
 * What an ADD writes down before it changes anything, so that a later command can remove it without prevResult, sandbox, pod, API or the
 * configuration of that time. It holds no secret.
 */
export interface AttachmentRecord {
  readonly attachment: Attachment;
  readonly stage: AttachmentStage;
  /** If it is an earlier boot, link and sandbox are gone. */
  readonly boot: BootIdentity;
  /** The process that wrote the record. A record with stage `attaching` whose process has ended was left by a killed ADD. */
  readonly process: ProcessIdentity;
}

/** The record as the text of its file. Id and network are not in it: they are the file's name and directory. */
export function formatRecord({ attachment, stage, boot, process }: AttachmentRecord): string {
  const { sandboxPath, hostInterface, cniArgs, pod, release } = attachment;
  return `${JSON.stringify({
    format: FORMAT,
    stage, // here, because it is changed in place
    sandboxPath,
    hostInterface: hostInterface.name,
    cniArgs,
    pod: pod && { namespace: pod.namespace, name: pod.name },
    podUid: pod?.uid,
    release,
    bootId: boot.bootId,
    hostNetns: boot.hostNetns,
    process,
  })}\n`;
}

/** Where the stage of an ADD is in the text of its record, in bytes. */
export const STAGE_OFFSET = '{"format":1,"stage":'.length;

/** The stage as it is written over `attaching`: no other byte changes, so that a reader at any moment finds a whole record. */
export function stageField(stage: 'returning' | 'attached'): string {
  return JSON.stringify(stage).padEnd('"attaching"'.length);
}

/** The record in a file's text, `undefined` if it is empty, cut off, or of a format that this version does not know. */
export function parseRecord(text: string, id: AttachmentId, network: string): AttachmentRecord | undefined {
  try {
    const reader = openReader(parseJsonObject(text), SOURCE);
    if (reader.require('format', wholeNumber(FORMAT, FORMAT)) !== FORMAT) return undefined;
    const process = reader.readObject('process');
    const release = reader.readObject('release');
    const pod = reader.readObject('pod');
    const namespace = pod.read('namespace', TEXT);
    const name = pod.read('name', TEXT);
    const uid = reader.read('podUid', TEXT);
    return {
      attachment: attachmentFromRecord(
        {
          id,
          network,
          sandboxPath: reader.require('sandboxPath', AS_GIVEN),
          cniArgs: reader.require('cniArgs', AS_GIVEN),
          pod: namespace === undefined || name === undefined ? undefined : { namespace, name, uid },
          hostInterfaceName: reader.require('hostInterface', TEXT),
          release: { type: release.require('type', PLUGIN_NAME), config: release.require('config', OBJECT) },
        },
        sha1,
      ),
      stage: reader.require('stage', STAGE),
      boot: { bootId: reader.require('bootId', TEXT), hostNetns: reader.read('hostNetns', TEXT) },
      process: {
        pid: process.require('pid', wholeNumber(1, 2 ** 31 - 1)),
        startTicks: process.require('startTicks', TEXT),
      },
    };
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

const FORMAT = 1;

const SOURCE: JsonSource = {
  name: 'a record',
  quotesValues: true,
  error: (message) => new CniError(ERROR_CODE.undecodable, message),
};

// A runtime's environment variable can hold any character but NUL.
const AS_GIVEN: Shape<string> = {
  expected: 'a string',
  parse: (value) => (typeof value === 'string' && !value.includes('\0') ? value : undefined),
};

const STAGES = [
  'attaching',
  'returning',
  'attached',
  'superseded',
  'replaced',
  'detaching',
  'endpoint',
] as const satisfies readonly AttachmentStage[];

const STAGE: Shape<AttachmentStage> = {
  expected: `one of ${STAGES.join(', ')}`,
  parse: (value) => STAGES.find((stage) => stage === value),
};

import type { PodReference } from '../cni/cni-args.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { openReader, type JsonSource } from '../json/json-reader.ts';
import { parseJsonObject } from '../json/json.ts';
import { OBJECT, PLUGIN_NAME, TEXT, wholeNumber, type Shape } from '../json/shapes.ts';
import type { ProcessIdentity } from '../system/process-identity.ts';
import type { Delegation } from '../plan/delegation.ts';

/**
 * What an ADD writes down before it does anything, so that whoever comes later can take it down: without prevResult, sandbox, pod, API or the
 * configuration of that day. It holds no secret.
 */
export interface AttachmentRecord {
  /**
   * `attaching`: begun, and the runtime has no result yet. `attached`: it has. `detaching`: a DEL has begun. `endpoint`: taken off the node; only the Pod still says
   * otherwise, because the API could not be asked.
   */
  readonly stage: 'attaching' | 'attached' | 'detaching' | 'endpoint';
  /** Of an earlier boot: link and sandbox are gone, whatever else is. */
  readonly bootId: string;
  /** Who works on it: `attaching` by a process that is gone is what a killed ADD has left. */
  readonly process: ProcessIdentity;
  readonly sandboxPath: string;
  readonly hostInterface: string;
  readonly cniArgs: string;
  readonly pod: PodReference | undefined;
  readonly podUid: string | undefined;
  readonly release: Delegation;
}

/** The record as text. */
export function formatRecord(record: AttachmentRecord): string {
  return `${JSON.stringify({ format: FORMAT, ...record })}\n`;
}

/** The record of a text, `undefined` for one that is empty, cut off, or of a format that this version does not know. */
export function parseRecord(text: string): AttachmentRecord | undefined {
  try {
    const reader = openReader(parseJsonObject(text), SOURCE);
    if (reader.require('format', wholeNumber(FORMAT, FORMAT)) !== FORMAT) return undefined;
    const [process, release, pod] = [reader.within('process'), reader.within('release'), reader.within('pod')];
    const [namespace, name] = [pod.read('namespace', TEXT), pod.read('name', TEXT)];
    return {
      stage: reader.require('stage', STAGE),
      bootId: reader.require('bootId', TEXT),
      process: {
        pid: process.require('pid', wholeNumber(1, 2 ** 31 - 1)),
        startTicks: process.require('startTicks', TEXT),
      },
      sandboxPath: reader.require('sandboxPath', AS_GIVEN),
      hostInterface: reader.require('hostInterface', TEXT),
      cniArgs: reader.require('cniArgs', AS_GIVEN),
      pod: namespace === undefined || name === undefined ? undefined : { namespace, name },
      podUid: reader.read('podUid', TEXT),
      release: { type: release.require('type', PLUGIN_NAME), config: release.require('config', OBJECT), families: [] },
    };
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

const FORMAT = 1;

const SOURCE: JsonSource = { code: ERROR_CODE.undecodable, name: 'a record', remedy: '' };

// What a runtime has put into the environment, which can be any characters but NUL.
const AS_GIVEN: Shape<string> = {
  wanted: 'a string',
  parse: (value) => (typeof value === 'string' && !value.includes('\0') ? value : undefined),
};

const STAGES = ['attaching', 'attached', 'detaching', 'endpoint'] as const;

const STAGE: Shape<AttachmentRecord['stage']> = {
  wanted: `one of ${STAGES.join(', ')}`,
  parse: (value) => STAGES.find((stage) => stage === value),
};

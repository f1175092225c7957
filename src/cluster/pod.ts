import type { JsonReader } from '../json/json-reader.ts';
import { BOOLEAN, NON_EMPTY_STRING, STRING } from '../json/shapes.ts';

/** The parts of a Pod that podwire uses. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined until the scheduler has chosen a Node. */
  readonly nodeName: string | undefined;
  readonly hostNetwork: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Parses a Pod of the API.
 *
 * @throws {Error} the reader's, naming the field
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export function parsePod(pod: JsonReader): Pod {
  const metadata = pod.requireObject('metadata');
  const spec = pod.requireObject('spec');
  return {
    namespace: metadata.require('namespace', NON_EMPTY_STRING),
    name: metadata.require('name', NON_EMPTY_STRING),
    uid: metadata.require('uid', NON_EMPTY_STRING),
    resourceVersion: metadata.require('resourceVersion', NON_EMPTY_STRING),
    nodeName: spec.readUnlessZero('nodeName', STRING),
    hostNetwork: spec.read('hostNetwork', BOOLEAN) ?? false,
    annotations: metadata.readMap('annotations', STRING),
  };
}

import type { JsonReader } from '../json/json-reader.ts';
import type { Selection } from '../json/select-members.ts';
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

/** The annotations that podwire reads, in plan/pod-overrides.ts, plan/workload-endpoint.ts and plan/pod-identity.ts. */
const READ_ANNOTATIONS = [
  'cni.projectcalico.org/allowedSourcePrefixes',
  'cni.projectcalico.org/containerID',
  'cni.projectcalico.org/floatingIPs',
  'cni.projectcalico.org/hwAddr',
  'cni.projectcalico.org/ipAddrs',
  'cni.projectcalico.org/ipAddrsNoIpam',
  'cni.projectcalico.org/podIP',
  'cni.projectcalico.org/podIPs',
  'kubernetes.io/config.mirror',
] as const;

/** What {@link parsePod} reads. Of the annotations of a Pod that is too long to be parsed as a whole, it has only these. */
export const POD_MEMBERS: Selection = {
  metadata: {
    namespace: true,
    name: true,
    uid: true,
    resourceVersion: true,
    annotations: Object.fromEntries(READ_ANNOTATIONS.map((name) => [name, true])),
  },
  spec: { nodeName: true, hostNetwork: true },
};

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

import {
  parseFields,
  parseFlag,
  parseList,
  parseOptionalFields,
  parseOptionalText,
  parseText,
  parseTextMap,
} from './fields.ts';

/** What podwire wants to know of a Pod. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined until the scheduler has chosen. */
  readonly nodeName: string | undefined;
  readonly serviceAccountName: string | undefined;
  readonly hostNetwork: boolean;
  readonly isBeingDeleted: boolean;
  readonly phase: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `status.podIPs`, else `status.podIP`: what the kubelet has reported, empty before that. */
  readonly podIps: readonly string[];
}

/**
 * A Pod from the API's JSON.
 *
 * @throws {ShapeError} for anything that is no Pod
 * @see https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
 */
export function parsePod(value: unknown): Pod {
  const pod = parseFields(value, 'the answer');
  const metadata = parseFields(pod['metadata'], 'metadata');
  const spec = parseFields(pod['spec'], 'spec');
  const status = parseOptionalFields(pod['status'], 'status');
  return {
    namespace: parseText(metadata['namespace'], 'metadata.namespace'),
    name: parseText(metadata['name'], 'metadata.name'),
    uid: parseText(metadata['uid'], 'metadata.uid'),
    resourceVersion: parseText(metadata['resourceVersion'], 'metadata.resourceVersion'),
    nodeName: parseOptionalText(spec['nodeName'], 'spec.nodeName'),
    serviceAccountName: parseOptionalText(spec['serviceAccountName'], 'spec.serviceAccountName'),
    hostNetwork: parseFlag(spec['hostNetwork'], 'spec.hostNetwork'),
    isBeingDeleted: parseOptionalText(metadata['deletionTimestamp'], 'metadata.deletionTimestamp') !== undefined,
    phase: parseOptionalText(status['phase'], 'status.phase'),
    labels: parseTextMap(metadata['labels'], 'metadata.labels'),
    annotations: parseTextMap(metadata['annotations'], 'metadata.annotations'),
    podIps: parsePodIps(status['podIPs'], status['podIP']),
  };
}

function parsePodIps(list: unknown, single: unknown): readonly string[] {
  const addresses = parseList(list, 'status.podIPs').map((entry, index) => {
    const where = `status.podIPs[${index}]`;
    return parseText(parseFields(entry, where)['ip'], `${where}.ip`);
  });
  if (addresses.length > 0) return addresses;
  const address = parseOptionalText(single, 'status.podIP');
  return address === undefined ? [] : [address];
}

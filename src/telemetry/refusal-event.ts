import type { Cluster } from '../cluster/cluster.ts';
import type { Deadline } from '../cluster/wire/deadline.ts';
import type { CniArgs, PodReference } from '../cni/cni-args.ts';
import type { Log } from '../log/log.ts';
import { messageOf } from '../system/error-text.ts';

/** What writing an Event needs. */
export interface RefusalEffects {
  readonly agent: { nodeName(): string };
  readonly cluster: Pick<Cluster, 'createEvent'>;
  readonly log: Pick<Log, 'debug'>;
  readonly sha1: (text: string) => string;
}

/**
 * Writes an Event on a pod whose owner can correct why it was refused. Most nodes are not permitted to write Events, which is
 * not an error: it never fails.
 */
export async function reportRefusal(
  { pod, podUid }: CniArgs,
  message: string,
  deadline: Deadline,
  { agent, cluster, log, sha1 }: RefusalEffects,
): Promise<void> {
  if (pod === undefined || podUid === undefined) return;
  try {
    const event = formatRefusalEvent({ pod, podUid, message, nodeName: agent.nodeName(), now: new Date(), sha1 });
    log.debug(`the API server answered ${await cluster.createEvent(event, deadline)} to an event about this refusal`);
  } catch (error) {
    log.debug(`no event was written about this refusal: ${messageOf(error)}`);
  }
}

/** What an Event says about a pod that podwire has refused to attach. */
export interface Refusal {
  readonly pod: PodReference;
  readonly podUid: string;
  /** What is wrong, and what to do. */
  readonly message: string;
  /** Empty if it is unknown. */
  readonly nodeName: string;
  readonly now: Date;
  readonly sha1: (text: string) => string;
}

/**
 * The Event of Kubernetes about a refused pod. The kubelet tries again every few seconds: the same refusal has the same
 * name, so that the API server keeps the first Event and rejects the others.
 */
export function formatRefusalEvent({ pod, podUid, message, nodeName, now, sha1 }: Refusal) {
  const time = now.toISOString().replace(/\.\d+Z$/, 'Z');
  const id = sha1(`${podUid} ${message}`).slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    // At most 253 characters.
    metadata: { namespace: pod.namespace, name: `${pod.name.slice(0, 236).replace(/[-.]+$/, '')}.${id}` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: podUid },
    type: 'Warning',
    reason: 'NetworkRefused',
    message: message.slice(0, MAX_MESSAGE),
    source: { component: 'podwire', host: nodeName },
    reportingComponent: 'podwire',
    reportingInstance: nodeName,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}

/** What the API server accepts. */
const MAX_MESSAGE = 1024;

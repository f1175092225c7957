import { parseAnswer } from '../../cluster/api-answer.ts';
import type { ApiClient } from '../../cluster/api-client.ts';
import { pathPart } from '../../cluster/object-name.ts';
import type { Deadline } from '../../cluster/wire/deadline.ts';
import type { RenewerFact } from '../../diagnosis/api-facts.ts';
import type { Seen } from '../../diagnosis/facts.ts';
import type { JsonReader } from '../../json/json-reader.ts';
import { BOOLEAN, NON_EMPTY_STRING, STRING, wholeNumber } from '../../json/shapes.ts';
import { messageOf } from '../../system/error-text.ts';

const NAMESPACE = '/api/v1/namespaces/kube-system';
const MAX_LINE = 300;

/**
 * Finds the pod of this node that renews the token, and reads the state of its container `token` and its last line.
 *
 * @param client credentials that may list pods, such as the kubelet's; those of an administrator may also read logs
 */
export async function observeRenewer(
  client: ApiClient | undefined,
  nodeName: string,
  deadline: Deadline,
): Promise<Seen<RenewerFact | 'absent'>> {
  if (client === undefined) return { kind: 'unseen', why: 'no credentials that may list pods (--kubeconfig FILE)' };
  const selectors = `labelSelector=${encodeURIComponent('app.kubernetes.io/name=podwire')}`;
  const request = {
    purpose: { verb: 'get', resource: 'pods', object: 'the pods of podwire' },
    path: `${NAMESPACE}/pods?${selectors}&fieldSelector=${encodeURIComponent(`spec.nodeName=${nodeName}`)}`,
  } as const;
  try {
    const pods = parseAnswer(await client.send(request, deadline), request, (list) =>
      list.readObjects('items').map(readRenewer),
    );
    const pod = pods.find((item) => item !== undefined);
    if (pod === undefined) return { kind: 'seen', value: 'absent' };
    return { kind: 'seen', value: { ...pod, lastLine: await readLastLine(client, pod.pod, deadline) } };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error) };
  }
}

/** `undefined` for a pod without the container. */
function readRenewer(pod: JsonReader): Omit<RenewerFact, 'lastLine'> | undefined {
  const containers = pod.readObject('spec').readObjects('containers');
  if (!containers.some((container) => container.read('name', STRING) === 'token')) return undefined;
  const status = pod.readObject('status');
  const container = status.readObjects('containerStatuses').find((item) => item.read('name', STRING) === 'token');
  const state = container?.readObject('state');
  const reasonOf = (kind: string) => state?.readObject(kind).read('reason', NON_EMPTY_STRING);
  const [waiting, terminated] = [reasonOf('waiting'), reasonOf('terminated')];
  const phase = status.read('phase', NON_EMPTY_STRING) ?? 'unknown';
  return {
    pod: pod.requireObject('metadata').require('name', NON_EMPTY_STRING),
    state: waiting ?? terminated ?? phase,
    isReady: container?.read('ready', BOOLEAN) ?? false,
    restartCount: container?.readUnlessZero('restartCount', wholeNumber(0, 1_000_000_000)) ?? 0,
  };
}

/** The last line of the log; `undefined` if it cannot be read with these credentials. */
async function readLastLine(client: ApiClient, pod: string, deadline: Deadline): Promise<string | undefined> {
  const purpose = { verb: 'get', resource: 'pods/log', object: `the log of pod ${pod}` } as const;
  const path = `${NAMESPACE}/pods/${pathPart(pod)}/log?container=token&tailLines=1&limitBytes=4096`;
  try {
    const { response } = await client.send({ purpose, path }, deadline);
    if (response.status !== 200) return undefined;
    const line = new TextDecoder().decode(response.body).trim().slice(0, MAX_LINE);
    return line === '' ? undefined : line;
  } catch {
    return undefined;
  }
}

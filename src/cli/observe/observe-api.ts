import { isAbsent, parseAnswer } from '../../cluster/api-answer.ts';
import { openApiClient, type ApiClient, type ApiRequest } from '../../cluster/api-client.ts';
import { readNode } from '../../cluster/cluster.ts';
import { pathPart } from '../../cluster/object-name.ts';
import type { ApiConnection } from '../../cluster/credentials/connection.ts';
import { startDeadline, type Deadline } from '../../cluster/wire/deadline.ts';
import { CniError } from '../../cni/error.ts';
import { isRenewalOverdue } from '../../diagnosis/check-renewal.ts';
import type { ApiFacts, NodeObject, RightFact } from '../../diagnosis/api-facts.ts';
import type { Seen } from '../../diagnosis/facts.ts';
import type { JsonReader } from '../../json/json-reader.ts';
import { BOOLEAN, NON_EMPTY_STRING } from '../../json/shapes.ts';
import type { NetworkConfig } from '../../netconf/network-config.ts';
import { messageOf } from '../../system/error-text.ts';
import { findExemption } from './find-exemption.ts';
import { findFreePodCidr, listNodes, type ListedNodes } from './list-nodes.ts';
import { observeName } from './observe-name.ts';
import { observeRenewer } from './observe-renewer.ts';
import { probeServer } from './probe-server.ts';
import { describeToken } from './token-facts.ts';

/** What the questions to the API server need. */
export interface ApiQuestions {
  readonly connection: ApiConnection;
  readonly budgets: NetworkConfig['budgets'];
  readonly nodeName: string | undefined;
  /** A pod of this node, `default/web`, whose endpoint podwire has written; `undefined` on a node without such a pod. */
  readonly pod: string | undefined;
  /** Pods whose ADD has failed: whether they still exist. */
  readonly failedPods: readonly string[];
  /** Other credentials than the plugin's, to read what it may not: an administrator's, or the kubelet's. */
  readonly other: ApiConnection | undefined;
  readonly timeoutMs: number;
  readonly show: (text: string) => string;
}

/** Asks the API server everything that the checks need. It changes nothing. All of it ends after `timeoutMs`. */
export async function observeApi(questions: ApiQuestions): Promise<ApiFacts> {
  const { connection, budgets, nodeName, timeoutMs, show } = questions;
  using deadline = startDeadline(timeoutMs);
  using client = openClient(connection, budgets);
  using other = questions.other && openClient(questions.other, budgets);
  const [probe, answer, nodes, resolved] = await Promise.all([
    probeServer(connection, timeoutMs),
    ask(client, deadline),
    listNodes(other, deadline),
    observeName(connection.server.host, timeoutMs),
  ]);
  const isAnswered = answer.kind === 'ok';
  const why = isAnswered ? '' : 'the API server does not accept the request for its version';
  const unseen = { kind: 'unseen', why } as const;
  const dryRun = isAnswered ? await tryPatch(client, questions.pod, deadline) : unseen;
  const refusal = dryRun.kind === 'seen' ? dryRun.value.error : undefined;
  const exemption = refusal && other && (await findExemption(other, refusal.message, accountOf(connection), deadline));
  const token = connection.token && describeToken(connection.token, show);
  const isRefused = answer.kind === 'failed' && answer.error.finding === 'PW401';
  const isRenewerAsked = isRefused || isRenewalOverdue(token, Date.now() - (probe.clockAheadMs ?? 0));
  const renewer = await (isRenewerAsked && nodeName !== undefined
    ? observeRenewer(other, nodeName, deadline)
    : { kind: 'unseen' as const, why: 'the renewer was not looked for' });
  return {
    server: connection.server.text,
    source: show(connection.serverSource),
    name: resolved,
    probe,
    token,
    answer: isAnswered ? answer : { kind: 'failed', error: answer.error },
    rights: isAnswered ? await readRights(client, deadline) : unseen,
    node:
      nodeName === undefined
        ? { kind: 'unseen', why: 'the name of the Node is unknown' }
        : await readNodeObject(nodeName, [client, other], nodes, deadline),
    otherNodes:
      nodes.kind === 'unseen'
        ? nodes
        : { kind: 'seen', value: nodes.value.items.filter(({ name, isReady }) => isReady && name !== nodeName) },
    renewer,
    dryRun: dryRun.kind === 'unseen' ? dryRun : { kind: 'seen', value: { ...dryRun.value, exemption } },
    deletedPods: isAnswered ? await findDeleted(questions.failedPods, client, deadline) : [],
    slowestMs: isAnswered ? await measureSlowest(client, deadline) : undefined,
    requestBudgetMs: budgets.apiRequestMs,
    otherServer: questions.other?.server.text,
  };
}

function openClient(connection: ApiConnection, budgets: NetworkConfig['budgets']): ApiClient {
  return openApiClient({ connect: () => connection, budgets, log: { debug: () => undefined } });
}

const VERSION: ApiRequest = { purpose: { verb: 'get', resource: '/version', object: 'its version' }, path: '/version' };

async function ask(client: ApiClient, deadline: Deadline): Promise<ApiFacts['answer']> {
  try {
    const answer = await client.send(VERSION, deadline);
    return {
      kind: 'ok',
      version: parseAnswer(answer, VERSION, (value) => value.require('gitVersion', NON_EMPTY_STRING)),
    };
  } catch (error) {
    if (error instanceof CniError) return { kind: 'failed', error };
    throw error;
  }
}

async function measureSlowest(client: ApiClient, deadline: Deadline): Promise<number | undefined> {
  let slowestMs = 0;
  try {
    for (let round = 0; round < 5; round++) {
      const begunMs = performance.now();
      await client.send(VERSION, deadline);
      slowestMs = Math.max(slowestMs, performance.now() - begunMs);
    }
    return slowestMs;
  } catch {
    return undefined;
  }
}

/** What the plugin is permitted to do, as rbac.yaml grants it. */
const RIGHTS = [
  { right: 'get pods', verb: 'get', resource: 'pods' },
  { right: 'get nodes', verb: 'get', resource: 'nodes' },
  { right: 'patch pods/status', verb: 'patch', resource: 'pods', subresource: 'status' },
] as const;

async function readRights(client: ApiClient, deadline: Deadline): Promise<Seen<readonly RightFact[]>> {
  try {
    const value: RightFact[] = [];
    for (const { right, ...resourceAttributes } of RIGHTS) {
      const request = {
        purpose: { verb: 'create', resource: 'selfsubjectaccessreviews', object: 'an access review' },
        path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        body: {
          type: 'application/json',
          content: {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes },
          },
        },
      } as const;
      const isAllowed = parseAnswer(await client.send(request, deadline), request, readAllowed);
      value.push({ right, isAllowed });
    }
    return { kind: 'seen', value };
  } catch (error) {
    return { kind: 'unseen', why: messageOf(error) };
  }
}

function readAllowed(review: JsonReader): boolean {
  return review.requireObject('status').read('allowed', BOOLEAN) ?? false;
}

async function readNodeObject(
  name: string,
  clients: readonly (ApiClient | undefined)[],
  nodes: Seen<ListedNodes>,
  deadline: Deadline,
): Promise<Seen<NodeObject | 'absent'>> {
  let why = 'no credentials are accepted';
  for (const client of clients) {
    if (client === undefined) continue;
    try {
      const node = await readNode(client, name, deadline);
      if (node === 'absent') return { kind: 'seen', value: 'absent' };
      const freePodCidr = node.podCidrs.length > 0 ? undefined : findFreePodCidr(nodes);
      const listed = nodes.kind === 'seen' ? nodes.value.items.find((item) => item.name === name) : undefined;
      return {
        kind: 'seen',
        value: { uid: node.uid, podCidrs: node.podCidrs, freePodCidr, maxPods: listed?.maxPods },
      };
    } catch (error) {
      why = messageOf(error);
    }
  }
  return { kind: 'unseen', why };
}

/** Checks a patch of a pod as ADD sends it. The server runs admission and stores nothing (dryRun=All). */
async function tryPatch(
  client: ApiClient,
  pod: string | undefined,
  deadline: Deadline,
): Promise<Seen<{ readonly pod: string; readonly error: CniError | undefined }>> {
  if (pod === undefined)
    return { kind: 'unseen', why: 'no pod of this node is attached, for which a write could be tried' };
  const [namespace = '', name = ''] = pod.split('/');
  const request = {
    purpose: { verb: 'patch', resource: 'pods/status', object: `pod ${pod}` },
    path: `/api/v1/namespaces/${namespace}/pods/${name}/status?dryRun=All`,
    body: { type: 'application/strategic-merge-patch+json', content: { metadata: { annotations: {} } } },
  } as const;
  try {
    const answer = await client.send(request, deadline);
    if (isAbsent(answer, name)) return { kind: 'unseen', why: `pod ${pod} was deleted` };
    parseAnswer(answer, request, () => undefined);
    return { kind: 'seen', value: { pod, error: undefined } };
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    // Missing permissions are another finding, and an API server that fails is, too.
    if (error.finding !== 'PW404') return { kind: 'unseen', why: error.message };
    return { kind: 'seen', value: { pod, error } };
  }
}

/** More pods fail only together. */
const MAX_FAILED_PODS = 10;

async function findDeleted(pods: readonly string[], client: ApiClient, deadline: Deadline): Promise<readonly string[]> {
  const deleted: string[] = [];
  for (const pod of pods.slice(-MAX_FAILED_PODS)) {
    const [namespace = '', name = ''] = pod.split('/');
    const purpose = { verb: 'get', resource: 'pods', object: `pod ${pod}` } as const;
    const path = `/api/v1/namespaces/${pathPart(namespace)}/pods/${pathPart(name)}`;
    try {
      if (isAbsent(await client.send({ purpose, path }, deadline), name)) deleted.push(pod);
    } catch {
      // It is not known whether the pod exists.
    }
  }
  return deleted;
}

function accountOf({ token }: ApiConnection): string | undefined {
  return token && describeToken(token, (text) => text).account;
}

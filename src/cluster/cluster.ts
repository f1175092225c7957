import type { PodReference } from '../cni/cni-args.ts';
import type { JsonReader } from '../json/json-reader.ts';
import { NON_EMPTY_STRING } from '../json/shapes.ts';
import { isAbsent, parseAnswer } from './api-answer.ts';
import {
  openApiClient,
  type ApiAnswer,
  type ApiClient,
  type ApiClientOptions,
  type ApiRequest,
  type ServerCheck,
} from './api-client.ts';
import { parseStatus } from './api-error.ts';
import type { Deadline } from './wire/deadline.ts';
import { parseNode, type Node } from './node.ts';
import { pathPart, quoteName } from './object-name.ts';
import { parsePod, POD_MEMBERS, type Pod } from './pod.ts';

/** Annotations to set on a Pod. */
export interface AnnotationPatch {
  /** The patch is only for this Pod, not for a later one of the same name. */
  readonly uid: string | undefined;
  /** The patch is only for this version of the Pod. */
  readonly resourceVersion?: string;
  /** `null` removes an annotation. */
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** Annotations to set on a Pod that has these values; `undefined` stands for any value. */
export interface ConditionalPatch {
  readonly conditions: {
    readonly uid: string | undefined;
    readonly nodeName: string | undefined;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly annotations: Readonly<Record<string, string>>;
}

/** The part of an Event that decides where it is written. */
export interface NewEvent {
  readonly metadata: PodReference;
}

/**
 * The part of the Kubernetes API that podwire needs. Every call ends at its deadline at the latest.
 *
 * All calls throw CniError: tryAgainLater (11) if the server cannot be reached or its response is unexpected,
 * apiRefused (100) if it refuses or is not trusted, and the errors of reading the connection (4, 5, 7).
 */
export interface Cluster extends Disposable {
  /** Reads the credentials and checks whether the server accepts TCP connections. Sends no request. */
  checkServer(): Promise<ServerCheck>;
  readPod(pod: PodReference, deadline: Deadline): Promise<Pod | 'absent'>;
  readNode(name: string, deadline: Deadline): Promise<Node | 'absent'>;
  /** Returns the patched Pod, or `conflict` if the patch is for another Pod or another version of it. */
  patchPodAnnotations(
    pod: PodReference,
    patch: AnnotationPatch,
    deadline: Deadline,
  ): Promise<Pod | 'absent' | 'conflict'>;
  /**
   * Sets annotations on a Pod, in one request that also checks what the Pod is. `unmatched`: it is another Pod, or has other values, or the
   * API server refuses the change for a reason that it reports with the same status.
   */
  patchPodIf(
    pod: PodReference,
    patch: ConditionalPatch,
    deadline: Deadline,
  ): Promise<'patched' | 'absent' | 'unmatched'>;
  /**
   * Writes an Event.
   *
   * @returns the status of the response: 201, or that of a refusal
   */
  createEvent(event: NewEvent, deadline: Deadline): Promise<number>;
  /** Starts to connect, if no connection exists. Never throws: the next request fails if this does. */
  connect(): void;
  /** Returns the server's version, `v1.36.1`. */
  probe(deadline: Deadline): Promise<string>;
}

/**
 * Opens the API. It connects with the first request.
 *
 * @param watch may wrap the client, to see its requests
 */
export function openCluster(
  options: ApiClientOptions,
  watch: (client: ApiClient) => ApiClient = (client) => client,
): Cluster {
  const client = watch(openApiClient(options));
  return {
    checkServer: () => client.checkServer(),
    async readPod(pod, deadline) {
      const request = {
        purpose: { verb: 'get', resource: 'pods', object: describePod(pod) },
        path: podPath(pod),
      } as const;
      const answer = await client.send(request, deadline);
      return isAbsent(answer, pod.name) ? 'absent' : parsePodAnswer(answer, request, pod);
    },
    readNode: (name, deadline) => readNode(client, name, deadline),
    async patchPodAnnotations(pod, { uid, resourceVersion, annotations }, deadline) {
      // The server compares these with the Pod's own values, and responds with 409 if they differ.
      const preconditions = {
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      };
      const purpose = { verb: 'patch', resource: 'pods/status', object: describePod(pod) } as const;
      const request = {
        purpose,
        path: `${podPath(pod)}/status`,
        body: {
          type: 'application/strategic-merge-patch+json',
          content: { metadata: { ...preconditions, annotations } },
        },
      } as const;
      const answer = await client.send(request, deadline);
      if (isAbsent(answer, pod.name)) return 'absent';
      return isConflict(answer) ? 'conflict' : parsePodAnswer(answer, request, pod);
    },
    async patchPodIf(pod, patch, deadline) {
      const request = {
        purpose: { verb: 'patch', resource: 'pods/status', object: describePod(pod) },
        path: `${podPath(pod)}/status`,
        body: { type: 'application/json-patch+json', content: conditionalPatch(patch) },
      } as const;
      const answer = await client.send(request, deadline);
      if (isAbsent(answer, pod.name)) return 'absent';
      if (answer.response.status === 422 || isConflict(answer)) return 'unmatched';
      parsePodAnswer(answer, request, pod);
      return 'patched';
    },
    async createEvent(event, deadline) {
      const { namespace } = event.metadata;
      const request = {
        purpose: { verb: 'create', resource: 'events', object: 'an event' },
        path: `/api/v1/namespaces/${pathPart(namespace)}/events`,
        body: { type: 'application/json', content: event },
      } as const;
      return (await client.send(request, deadline)).response.status;
    },
    connect: () => client.connect(),
    async probe(deadline) {
      const request = {
        purpose: { verb: 'get', resource: '/version', object: 'its version' },
        path: '/version',
      } as const;
      const answer = await client.send(request, deadline);
      return parseAnswer(answer, request, (version) => version.require('gitVersion', NON_EMPTY_STRING));
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** Reads a Node as {@link Cluster} does, for a caller that has its own client. */
export async function readNode(client: ApiClient, name: string, deadline: Deadline): Promise<Node | 'absent'> {
  const purpose = { verb: 'get', resource: 'nodes', object: `node ${quoteName(name)}` } as const;
  const request = { purpose, path: `/api/v1/nodes/${pathPart(name)}` };
  const answer = await client.send(request, deadline);
  return isAbsent(answer, name) ? 'absent' : parseAnswer(answer, request, (object) => parseSameNode(object, name));
}

/** @see RFC 6902 (JSON Patch) and RFC 6901 (the paths); a failed test leaves the object as it is, and the API server responds with 422 */
function conditionalPatch({ conditions, annotations }: ConditionalPatch): readonly object[] {
  const { uid, nodeName } = conditions;
  const test = (path: string, value: string) => ({ op: 'test', path, value });
  return [
    ...(uid === undefined ? [] : [test('/metadata/uid', uid)]),
    ...(nodeName === undefined ? [] : [test('/spec/nodeName', nodeName)]),
    ...Object.entries(conditions.annotations).map(([name, value]) => test(annotationPath(name), value)),
    ...Object.entries(annotations).map(([name, value]) => ({ op: 'add', path: annotationPath(name), value })),
  ];
}

function annotationPath(name: string): string {
  return `/metadata/annotations/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

// For another uid, most versions of the API respond with 409, others with 422: a field that cannot be changed.
function isConflict({ response }: ApiAnswer): boolean {
  if (response.status === 409) return true;
  return response.status === 422 && parseStatus(response)?.causeFields.includes('metadata.uid') === true;
}

function parsePodAnswer(answer: ApiAnswer, request: ApiRequest, { namespace, name }: PodReference): Pod {
  const parse = (object: JsonReader): Pod => {
    const pod = parsePod(object);
    if (pod.namespace === namespace && pod.name === name) return pod;
    throw object.error(`it is about another pod, ${describePod(pod)}`);
  };
  return parseAnswer(answer, request, parse, POD_MEMBERS);
}

function parseSameNode(object: JsonReader, name: string): Node {
  const node = parseNode(object);
  if (node.name === name) return node;
  throw object.error(`it is about another node, ${quoteName(node.name)}`);
}

function podPath({ namespace, name }: PodReference): string {
  return `/api/v1/namespaces/${pathPart(namespace)}/pods/${pathPart(name)}`;
}

function describePod({ namespace, name }: PodReference): string {
  return `pod ${quoteName(namespace)}/${quoteName(name)}`;
}

import type { PodReference } from '../cni/cni-args.ts';
import { isAbsent, parseAnswer } from './api-answer.ts';
import { openApiClient, type ApiAnswer, type ApiClient, type ApiClientOptions } from './api-client.ts';
import { parseStatus } from './api-error.ts';
import type { Deadline } from './wire/deadline.ts';
import { parseFields, parseText, ShapeError } from './fields.ts';
import { parseNode, type Node } from './node.ts';
import { pathPart, quoteName } from './object-name.ts';
import { parsePod, type Pod } from './pod.ts';

export interface AnnotationPatch {
  /** Only this Pod, not one of the same name made later. */
  readonly uid: string | undefined;
  /** Only as it was read. */
  readonly resourceVersion?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The Kubernetes API, as far as podwire needs it. Every call ends with its deadline at the latest.
 *
 * All throw CniError: 11 when the server cannot be reached or answers nonsense, 100 when it refuses or is not trusted, and
 * what reading the connection throws (4, 5, 7).
 */
export interface Cluster extends Disposable {
  /** Whether the server takes TCP connections. Nothing is asked of it. */
  isReachable(): Promise<boolean>;
  readPod(pod: PodReference, deadline: Deadline): Promise<Pod | 'absent'>;
  readNode(name: string, deadline: Deadline): Promise<Node | 'absent'>;
  /** The Pod as it is afterwards; `conflict`: it is another Pod, or another version of it, than the patch is for. */
  patchPodAnnotations(
    pod: PodReference,
    patch: AnnotationPatch,
    deadline: Deadline,
  ): Promise<Pod | 'absent' | 'conflict'>;
  /** The server's version, `v1.36.1`. */
  probe(deadline: Deadline): Promise<string>;
}

/** Connects with the first request. */
export function openCluster(options: ApiClientOptions): Cluster {
  const client = openApiClient(options);
  return {
    isReachable: () => client.isReachable(),
    async readPod(pod, deadline) {
      const request = {
        purpose: { verb: 'get', resource: 'pods', object: describePod(pod) },
        path: podPath(pod),
      } as const;
      const answer = await client.send(request, deadline);
      return isAbsent(answer, pod.name) ? 'absent' : parseAnswer(answer, request, (value) => parseSamePod(value, pod));
    },
    readNode: (name, deadline) => readNode(client, name, deadline),
    async patchPodAnnotations(pod, { uid, resourceVersion, annotations }, deadline) {
      // The server compares these with the Pod's own, and answers 409 where they differ.
      const preconditions = {
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      };
      const purpose = { verb: 'patch', resource: 'pods/status', object: describePod(pod) } as const;
      const request = {
        purpose,
        path: `${podPath(pod)}/status`,
        body: { metadata: { ...preconditions, annotations } },
      };
      const answer = await client.send(request, deadline);
      if (isAbsent(answer, pod.name)) return 'absent';
      return isConflict(answer) ? 'conflict' : parseAnswer(answer, request, (value) => parseSamePod(value, pod));
    },
    async probe(deadline) {
      const request = {
        purpose: { verb: 'get', resource: '/version', object: 'its version' },
        path: '/version',
      } as const;
      const answer = await client.send(request, deadline);
      return parseAnswer(answer, request, (value) =>
        parseText(parseFields(value, 'the answer')['gitVersion'], 'gitVersion'),
      );
    },
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}

/** As {@link Cluster}'s, for who has a client of his own. */
export async function readNode(client: ApiClient, name: string, deadline: Deadline): Promise<Node | 'absent'> {
  const purpose = { verb: 'get', resource: 'nodes', object: `node ${quoteName(name)}` } as const;
  const request = { purpose, path: `/api/v1/nodes/${pathPart(name)}` };
  const answer = await client.send(request, deadline);
  return isAbsent(answer, name) ? 'absent' : parseAnswer(answer, request, (value) => parseSameNode(value, name));
}

// Another uid is 409 for most versions of the API; a field that may not change, 422, is the same in other words.
function isConflict({ response }: ApiAnswer): boolean {
  if (response.status === 409) return true;
  return response.status === 422 && parseStatus(response)?.causeFields.includes('metadata.uid') === true;
}

function parseSamePod(value: unknown, { namespace, name }: PodReference): Pod {
  const pod = parsePod(value);
  if (pod.namespace === namespace && pod.name === name) return pod;
  throw new ShapeError(`it is about another pod, ${describePod(pod)}`);
}

function parseSameNode(value: unknown, name: string): Node {
  const node = parseNode(value);
  if (node.name === name) return node;
  throw new ShapeError(`it is about another node, ${quoteName(node.name)}`);
}

function podPath({ namespace, name }: PodReference): string {
  return `/api/v1/namespaces/${pathPart(namespace)}/pods/${pathPart(name)}`;
}

function describePod({ namespace, name }: PodReference): string {
  return `pod ${quoteName(namespace)}/${quoteName(name)}`;
}

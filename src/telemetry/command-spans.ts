import type { ApiClient } from '../cluster/api-client.ts';
import type { Step } from '../plan/step.ts';
import { messageOf } from '../system/error-text.ts';
import type { OpenSpan, SpanRecorder } from './spans.ts';
import type { BeginCall } from './traced.ts';

/** Turns what a command does into spans. */
export interface CommandSpans {
  /** For the calls of effects. */
  readonly beginCall: BeginCall;
  /** Is called before each step that the kernel applies. */
  readonly onStep: (step: Step) => void;
  /** Records each request to the API server. */
  readonly withRequests: (client: ApiClient) => ApiClient;
}

/** The calls that have a span of their own, and its name. */
export const CALL_SPANS: Readonly<Record<string, string>> = {
  'agent.waitForPolicy': 'policy',
  'agent.waitUntilReady': 'agent readiness',
  'cluster.patchPodAnnotations': 'endpoint',
  'cluster.patchPodIf': 'endpoint',
  'delegate.add': 'ipam ADD',
  'delegate.check': 'ipam CHECK',
  'delegate.del': 'ipam DEL',
  'delegate.forward': 'ipam forward',
  'journal.begin': 'record',
  'journal.remove': 'record',
  'journal.keepEndpoint': 'record',
  'kernel.apply': 'link',
  'kernel.deleteInterface': 'delete link',
  'kernel.observe': 'observe',
  'kernel.openSandbox': 'open sandbox',
};

/** What takes no time in most commands. */
const MIN_READINESS_MS = 1;

/**
 * Opens the spans of a command.
 *
 * @param rootId the span of the whole command
 */
export function openCommandSpans(recorder: SpanRecorder, rootId: string, clock: () => number): CommandSpans {
  let endpoint: OpenSpan | undefined;
  let configuration: OpenSpan | undefined;
  let link: OpenSpan | undefined;
  return {
    beginCall(label) {
      const name = CALL_SPANS[label];
      if (name === undefined) return () => undefined;
      if (name === CALL_SPANS['agent.waitUntilReady']) return beginLate(name);
      const span = recorder.begin({ name, parentId: rootId });
      if (name === 'endpoint') endpoint = span;
      if (name === 'link') link = span;
      return (error) => {
        const outcome = { error: error === undefined ? undefined : messageOf(error) };
        span.end(outcome);
        if (name === 'link') {
          configuration?.end(outcome);
          configuration = link = undefined;
        }
        if (endpoint === span) endpoint = undefined;
      };
    },
    onStep({ kind }) {
      if ((kind !== 'add-route' && kind !== 'add-address') || link === undefined || configuration !== undefined) return;
      link.end();
      configuration = recorder.begin({ name: 'addresses and routes', parentId: rootId });
    },
    withRequests: (client) => ({
      checkServer: () => client.checkServer(),
      connect: () => client.connect(),
      async send(request, deadline) {
        const { verb, resource, object } = request.purpose;
        const method = METHODS[verb];
        const span = recorder.begin({
          name: `${method} ${resource}`,
          kind: 'client',
          parentId: verb === 'get' ? rootId : (endpoint?.id ?? rootId),
          attributes: { 'http.request.method': method, 'url.path': request.path, 'k8s.object': object },
        });
        try {
          const answer = await client.send(request, deadline);
          const { server } = answer.connection;
          const attributes = {
            'http.response.status_code': answer.response.status,
            'server.address': server.authority,
          };
          span.end({
            attributes,
            error: answer.response.status >= 400 ? `status ${answer.response.status}` : undefined,
          });
          return answer;
        } catch (error) {
          span.end({ error: messageOf(error) });
          throw error;
        }
      },
      [Symbol.dispose]: () => client[Symbol.dispose](),
    }),
  };

  function beginLate(name: string) {
    const beginMs = clock();
    return (error?: unknown) => {
      if (clock() - beginMs < MIN_READINESS_MS) return;
      recorder
        .begin({ name, parentId: rootId, beginMs })
        .end({ error: error === undefined ? undefined : messageOf(error) });
    };
  }
}

const METHODS = { get: 'GET', patch: 'PATCH', create: 'POST' } as const;

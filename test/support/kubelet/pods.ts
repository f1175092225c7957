import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { ApiError } from '../../lab/api-server/api-client.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { until } from '../../lab/until.ts';
import { memberText, member } from '../../lab/member.ts';
import { BUSYBOX_IMAGE } from './runtime.ts';

/** The pods of one node, which its kubelet runs. */
export interface NodePods {
  /** The pod with this path in the API. */
  at(path: string): RunPod;
  /** Creates a pod with one container. */
  create(name: string, container?: JsonObject, spec?: JsonObject): Promise<RunPod>;
  /** Runs a web server on port 8080, and waits until the kubelet's probe succeeds. */
  serve(name: string, container?: JsonObject, spec?: JsonObject): Promise<RunPod>;
  /** Runs a command in a separate pod, which is then deleted, and returns its output. The command must succeed. */
  output(name: string, command: string, spec?: JsonObject): Promise<string>;
  /** The same, but resolves when the pod runs, for a caller that acts before the command ends. */
  begin(name: string, command: string, container?: JsonObject, spec?: JsonObject): Promise<BegunCommand>;
  deleteAll(): Promise<void>;
  /** The messages of the events of one pod, or for one reason. */
  events(of: { readonly pod?: string; readonly reason?: string }): Promise<readonly string[]>;
  /** Waits until the kubelet reports the node as ready, which requires a network. */
  nodeIsReady(): Promise<JsonObject>;
  /** The ends of the logs of the node's programs. */
  readLogs(): Promise<string>;
}

/** A command that runs in a separate pod. */
export interface BegunCommand {
  output(): Promise<string>;
}

export interface RunPod {
  readonly name: string;
  read(): Promise<JsonObject>;
  /** Resolves once the condition holds for the pod. */
  until(what: string, holds: (pod: JsonObject) => boolean, deadlineMs?: number): Promise<JsonObject>;
  addresses(): Promise<readonly string[]>;
  annotations(): Promise<JsonObject>;
  /** Deletes the pod. Resolves when the kubelet has stopped it and the API has removed it. */
  delete(): Promise<void>;
}

const PODS = '/api/v1/namespaces/default/pods';
const DEADLINE_MS = 60_000;
const WEB_PORT = 8080;

/** @param readLogs reads the logs of the node's programs, for messages of failures */
export async function makeNodePods(
  { admin }: Cluster,
  nodeName: string,
  readLogs: () => Promise<string>,
): Promise<NodePods> {
  await until('the default namespace is there', () => admin.get('/api/v1/namespaces/default').then(yes, no), {
    deadlineMs: DEADLINE_MS,
  });
  await admin.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });

  const existing = (path: string): RunPod => {
    const read = async () => parseObject(await admin.get(path));
    const isGone = () =>
      admin.get(path).then(no, (error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return true;
        throw error;
      });
    return {
      name: path.slice(path.lastIndexOf('/') + 1),
      read,
      async until(what, holds, deadlineMs = DEADLINE_MS) {
        let pod: JsonObject = {};
        await until(`${path} ${what}`, async () => holds((pod = await read())), {
          deadlineMs,
          explain: async () => `${JSON.stringify(pod['status'])}\n${await readEvents()}\n${await readLogs()}`,
        });
        return pod;
      },
      async addresses() {
        const ips = member(await read(), 'status', 'podIPs');
        return Array.isArray(ips) ? ips.map((ip) => memberText(ip, 'ip')) : [];
      },
      annotations: async () => parseObject(member(await read(), 'metadata', 'annotations')),
      async delete() {
        await admin.delete(path);
        await until(`${path} is gone`, isGone, { deadlineMs: DEADLINE_MS, explain: readLogs });
      },
    };
  };
  const events: NodePods['events'] = async ({ pod, reason }) =>
    parseList(member(await admin.get('/api/v1/events'), 'items'))
      .filter((event) => pod === undefined || member(event, 'involvedObject', 'name') === pod)
      .filter((event) => reason === undefined || member(event, 'reason') === reason)
      .map((event) => memberText(event, 'message'));
  const readEvents = async () => [...new Set(await events({}))].slice(-20).join('\n');
  const pods: NodePods = {
    at: existing,
    readLogs,
    events,
    async nodeIsReady() {
      let node: JsonObject = {};
      const holds = async () => isReady((node = parseObject(await admin.get(`/api/v1/nodes/${nodeName}`))));
      await until('the node is ready', holds, { deadlineMs: DEADLINE_MS, explain: readLogs });
      return node;
    },
    async create(name, container = {}, spec = {}) {
      const main = { name: 'main', image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', ...container };
      await admin.create(PODS, {
        metadata: { name, labels: { app: name } },
        spec: {
          nodeName,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          dnsPolicy: 'Default',
          restartPolicy: 'Never',
          containers: [main],
          ...spec,
        },
      });
      return existing(`${PODS}/${name}`);
    },
    async serve(name, container = {}, spec = {}) {
      const pod = await pods.create(
        name,
        {
          command: ['/bin/httpd', '-f', '-p', `[::]:${WEB_PORT}`, '-h', '/www'],
          readinessProbe: { httpGet: { path: '/', port: WEB_PORT }, periodSeconds: 1 },
          ...container,
        },
        spec,
      );
      await pod.until('is ready', isReady);
      return pod;
    },
    output: async (name, command, spec) => (await pods.begin(name, command, {}, spec)).output(),
    async begin(name, command, container = {}, spec = {}) {
      const words = ['/bin/sh', '-c', `(${command}) >/dev/termination-log 2>&1`];
      const pod = await pods.create(name, { command: words, ...container }, spec);
      await pod.until('runs', (state) => phaseOf(state) === 'Running' || isEnded(state));
      return {
        async output() {
          const ended = await pod.until('has ended', (state) => isEnded(state));
          await pod.delete();
          const [first] = parseList(member(ended, 'status', 'containerStatuses'));
          const said = memberText(member(first, 'state', 'terminated'), 'message');
          if (phaseOf(ended) !== 'Succeeded') throw new Error(`${name}: ${command}: ${said}`);
          return said;
        },
      };
    },
    async deleteAll() {
      const items = parseList(member(await admin.get('/api/v1/pods'), 'items'));
      await Promise.all(
        items.map((pod) => {
          const metadata = member(pod, 'metadata');
          return existing(
            `/api/v1/namespaces/${memberText(metadata, 'namespace')}/pods/${memberText(metadata, 'name')}`,
          ).delete();
        }),
      );
    },
  };
  return pods;
}

/** The URL of a pod's web server. */
export function webUrl(address: string, port = WEB_PORT): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/`;
}

export function isReady(pod: JsonObject): boolean {
  return parseList(member(pod, 'status', 'conditions')).some(
    (condition) => member(condition, 'type') === 'Ready' && member(condition, 'status') === 'True',
  );
}

export function phaseOf(pod: JsonObject): string {
  return memberText(member(pod, 'status'), 'phase');
}

/** The number of restarts of its first container. */
export function restartsOf(pod: JsonObject): number {
  return Number(member(parseList(member(pod, 'status', 'containerStatuses'))[0], 'restartCount'));
}

function isEnded(pod: JsonObject): boolean {
  return ['Succeeded', 'Failed'].includes(phaseOf(pod));
}

function parseList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function parseObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

const yes = () => true;
const no = () => false;

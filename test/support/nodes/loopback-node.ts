import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { startLoopbackApi, type LoopbackApi } from '../../lab/loopback-api/loopback-api.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { pick } from './api-server-node.ts';
import {
  startExecutable,
  type EndedExecutable,
  type ExecutableStart,
  type RunningExecutable,
} from '../../lab/run-executable.ts';

/** One call of the executable on the node. What is not said is that of a valid attachment of the pod default/web. */
export interface LoopbackCall {
  readonly verb: string;
  readonly sandboxPath?: string;
  readonly containerId?: string;
  readonly interfaceName?: string;
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid?: string };
  readonly config?: JsonObject | string | Uint8Array;
  readonly pluginPath?: string;
  /** On top of, or `undefined` instead of, what a runtime sets. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly within?: readonly string[];
  readonly executable?: string;
}

/** A node whose API server breaks in any way it is told to, with real namespaces and a real host-local. */
export interface LoopbackNode extends AsyncDisposable {
  readonly api: LoopbackApi;
  /** Its own, below /run, gone with it. */
  readonly folder: string;
  readonly kubeconfigPath: string;
  readonly dataDir: string;
  /** The folder of host-local. */
  readonly pluginPath: string;
  netconf(overrides?: JsonObject): JsonObject;
  start(call: LoopbackCall): RunningExecutable;
  run(call: LoopbackCall): Promise<EndedExecutable>;
  /** What attachments leave outside their sandbox: interfaces, routes, leases, records, the Pod's annotations. Equal before and after: nothing left. */
  state(): Promise<JsonObject>;
  /** Each lease of the node: its file, and what stands in it. */
  leases(): Promise<readonly string[]>;
}

export const NODE_NAME = 'fault-node';
export const WEB = { namespace: 'default', name: 'web' } as const;
const WEB_UID = 'web-uid-1';
export const ANNOTATION = 'cni.projectcalico.org/';

/** A token like those of real accounts, which no output may hold. */
export const CANARY_TOKEN = [
  Buffer.from('{"alg":"RS256","kid":"canary"}').toString('base64url'),
  Buffer.from('{"sub":"system:serviceaccount:kube-system:podwire","exp":4102444800}').toString('base64url'),
  'Y2FuYXJ5LXNpZ25hdHVyZS10aGF0LW5vYm9keS1tYXktc2Vl',
].join('.');

/** Starts the API server with the pod default/web in it. */
export async function startLoopbackNode(): Promise<LoopbackNode> {
  await using started = new AsyncDisposableStack();
  const { 'host-local': hostLocal } = await ensureTools(['host-local']);
  const folder = await mkdtemp('/run/podwire-loopback-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const api = started.use(
    await startLoopbackApi({
      token: CANARY_TOKEN,
      nodes: [{ metadata: { name: NODE_NAME }, spec: { podCIDRs: ['10.73.0.0/24', 'fd73::/64'] } }],
    }),
  );
  putWeb(api);
  const network = `faulty-${basename(folder)}`; // its own, for what stands on the node outlives its tests if they fail
  const [kubeconfigPath, dataDir, pluginPath] = [
    join(folder, 'kubeconfig'),
    join(folder, 'leases'),
    dirname(hostLocal),
  ];
  api.writeKubeconfig(kubeconfigPath);
  const netconf = (overrides: JsonObject = {}): JsonObject => ({
    cniVersion: '1.0.0',
    name: network,
    type: 'podwire',
    nodename: NODE_NAME,
    kubernetes: { kubeconfig: kubeconfigPath },
    ...overrides,
    ipam: {
      type: 'host-local',
      dataDir,
      ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]],
      ...(isJsonObject(overrides['ipam']) && overrides['ipam']),
    },
  });
  const start = (call: LoopbackCall) => startExecutable(startOf({ config: netconf(), pluginPath, ...call }, folder));
  const running = started.move();
  return {
    api,
    folder,
    kubeconfigPath,
    dataDir,
    pluginPath,
    netconf,
    start,
    run: (call) => start(call).ended,
    state: async () => ({
      ...(await observeHost()),
      leases: await readLeases(dataDir),
      journal: await readJournal(network),
      annotations: withoutCleared(api.pod(WEB.namespace, WEB.name)?.metadata.annotations),
    }),
    leases: () => readLeases(dataDir),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Makes the pod default/web anew, as it is before its first attachment. */
export function putWeb(api: LoopbackApi, uid: string = WEB_UID): void {
  api.putPod({ metadata: { ...WEB, uid, annotations: { kept: 'yes' } }, spec: { nodeName: NODE_NAME } });
}

// An endpoint that was taken off keeps `containerID` beside empty addresses: so the agent tells it from one not yet attached.
function withoutCleared(annotations: Readonly<Record<string, string>> = {}): JsonObject {
  if (annotations[`${ANNOTATION}podIP`] !== '') return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith(ANNOTATION)));
}

function startOf(call: LoopbackCall, directory: string): ExecutableStart {
  const { verb, config = '', sandboxPath = '', containerId = 'c1', interfaceName = 'eth0', pluginPath } = call;
  const { namespace, name, uid = WEB_UID }: NonNullable<LoopbackCall['pod']> = call.pod ?? WEB;
  return {
    environment: {
      PATH: process.env['PATH'],
      CNI_COMMAND: verb,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: sandboxPath,
      CNI_IFNAME: interfaceName,
      CNI_PATH: pluginPath,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${containerId};K8S_POD_UID=${uid}`,
      ...call.environment,
    },
    stdin: typeof config === 'string' || config instanceof Uint8Array ? config : JSON.stringify(config),
    directory,
    ...(call.within !== undefined && { within: call.within }),
    ...(call.executable !== undefined && { executable: call.executable }),
  };
}

async function observeHost(): Promise<JsonObject> {
  const host = hostNamespace();
  const [links, v4, v6] = await Promise.all([
    host.ip('link', 'show'),
    host.ip('-4', 'route', 'show', 'table', 'all'),
    host.ip('-6', 'route', 'show', 'table', 'all'),
  ]);
  // The kernel's own routes of a link come and go with its carrier.
  const routes = [...v4, ...v6].filter((route) => pick(route, 'protocol') !== 'kernel');
  return {
    links: links.map((link) => `${pick(link, 'ifindex')} ${pick(link, 'ifname')}`).toSorted(),
    routes: routes.map((route) => `${pick(route, 'dst')} dev ${pick(route, 'dev')}`).toSorted(),
  };
}

async function readJournal(network: string): Promise<readonly string[]> {
  const names = await readdir(join('/var/lib/podwire', network)).catch(() => []);
  return names.filter((name) => name !== 'swept-boot').toSorted();
}

async function readLeases(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(dataDir, { recursive: true }).catch(() => []);
  const leases = names.filter((name) => /\/[0-9a-f.:]+$/.test(name));
  const owners = await Promise.all(leases.map((name) => readFile(join(dataDir, name), 'utf8')));
  return leases.map((name, index) => `${name} ${owners[index]?.replaceAll(/\s+/g, ' ')}`).toSorted();
}

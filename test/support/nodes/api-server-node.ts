import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../../../src/json/json.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { startCluster, type Cluster } from '../../lab/api-server/kube-apiserver.ts';
import type { PluginAccount } from '../../lab/api-server/cluster-objects.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { EXECUTABLE } from '../../lab/run-executable.ts';

/** One call of the executable, as a runtime makes it. */
export interface PluginCall {
  readonly verb: string;
  readonly config: JsonObject | string;
  readonly sandboxPath?: string;
  readonly containerId?: string;
  readonly interfaceName?: string;
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid?: string };
  /** On top of, or `undefined` instead of, what a runtime sets. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Ended with it. */
  readonly signal?: AbortSignal;
}

/** What came of it. `answer` is stdout as JSON, `undefined` if it is empty. */
export interface PluginAnswer {
  readonly exitCode: number | null;
  readonly answer: JsonObject | undefined;
  readonly stderr: string;
}

/** A node of a real cluster: the private network namespace that the test runs in, a kubeconfig, and host-local's folder. */
export interface PluginNode extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly account: PluginAccount;
  readonly name: string;
  readonly kubeconfigPath: string;
  readonly dataDir: string;
  readonly pluginPath: string;
  /** A valid netconf of this node, `overrides` where told. */
  netconf(overrides?: JsonObject): JsonObject;
  call(call: PluginCall): Promise<PluginAnswer>;
  /** All that an attachment leaves outside its sandbox: interfaces, routes, leases. Equal before and after means: nothing left. */
  state(): Promise<JsonObject>;
}

/** Starts a real API server with one node in it. Its podCIDRs are 10.71.0.0/24 and fd71::/64 unless told. */
export async function startPluginNode({
  name = 'node-1',
  podCIDRs = ['10.71.0.0/24', 'fd71::/64'],
}: { readonly name?: string; readonly podCIDRs?: readonly string[] } = {}): Promise<PluginNode> {
  await using started = new AsyncDisposableStack();
  const { 'host-local': hostLocal } = await ensureTools(['host-local', 'portmap']);
  const pluginPath = dirname(hostLocal);
  const folder = await mkdtemp('/run/podwire-node-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const cluster = started.use(await startCluster());
  await cluster.createNode(name, { podCIDRs });
  const account = await cluster.createPluginAccount({ nodeName: name });
  const [kubeconfigPath, dataDir] = [join(folder, 'kubeconfig'), join(folder, 'leases')];
  await account.writeKubeconfig(kubeconfigPath);
  const running = started.move();
  return {
    cluster,
    account,
    name,
    kubeconfigPath,
    dataDir,
    pluginPath,
    netconf: (overrides = {}) => ({
      cniVersion: '1.0.0',
      name: 'k8s-pod-network',
      type: 'podwire',
      datastore_type: 'kubernetes',
      nodename: name,
      kubernetes: { kubeconfig: kubeconfigPath },
      ...overrides,
      ipam: {
        type: 'host-local',
        dataDir,
        subnet: 'usePodCidr',
        ...(isObject(overrides['ipam']) ? overrides['ipam'] : {}),
      },
    }),
    call: (call) => runPlugin(call, pluginPath),
    state: () => observeState(dataDir),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Runs the executable once, with the environment of a runtime. */
export async function runPlugin(call: PluginCall, pluginPath: string, executable = EXECUTABLE): Promise<PluginAnswer> {
  const child = spawn(executable, [], {
    env: environmentOf(call, pluginPath),
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(call.signal !== undefined && { signal: call.signal, killSignal: 'SIGKILL' }),
  });
  child.on('error', () => undefined); // the signal's; `exitCode` is null then
  child.stdin.on('error', () => undefined); // it may refuse before it has read
  child.stdin.end(typeof call.config === 'string' ? call.config : JSON.stringify(call.config));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { exitCode: child.exitCode, answer: parseObject(stdout), stderr };
}

function environmentOf(
  { verb, sandboxPath = '', containerId = 'c1', interfaceName = 'eth0', pod, environment }: PluginCall,
  pluginPath: string,
): Record<string, string | undefined> {
  const uid = pod?.uid === undefined ? '' : `;K8S_POD_UID=${pod.uid}`;
  return {
    PATH: process.env['PATH'],
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: sandboxPath,
    CNI_IFNAME: interfaceName,
    CNI_PATH: pluginPath,
    CNI_ARGS:
      pod === undefined
        ? ''
        : `IgnoreUnknown=1;K8S_POD_NAMESPACE=${pod.namespace};K8S_POD_NAME=${pod.name};K8S_POD_INFRA_CONTAINER_ID=${containerId}${uid}`,
    ...environment,
  };
}

async function observeState(dataDir: string): Promise<JsonObject> {
  const host = hostNamespace();
  const links = (await host.ip('link', 'show', 'type', 'veth')).map((link) => pick(link, 'ifname'));
  const routes = [...(await host.ip('-4', 'route')), ...(await host.ip('-6', 'route'))].map(
    (route) => `${pick(route, 'dst')} dev ${pick(route, 'dev')}`,
  );
  const files = await readdir(dataDir, { recursive: true }).catch(() => []);
  const leases = files.filter((file) => /\/[0-9a-f.:]+$/.test(file) && !file.endsWith('/lock')).toSorted();
  return { links: links.toSorted(), routes: routes.toSorted(), leases };
}

/** A member of an object that came from outside, as text. */
export function pick(value: unknown, key: string): string {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : JSON.stringify(found ?? null);
}

function parseObject(text: string): JsonObject | undefined {
  if (text === '') return undefined;
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error(`stdout is no JSON object: ${text}`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

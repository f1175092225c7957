import { copyFile, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { startCluster, type Cluster } from '../api-server/kube-apiserver.ts';
import { hostInterfaceName } from '../host-interface-name.ts';
import { member, memberText } from '../member.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../namespaces/network-namespace.ts';
import { EXECUTABLE, runExecutable, type EndedExecutable } from '../run-executable.ts';
import { startPlugin } from '../run-plugin.ts';
import { ensureTools } from '../tools/ensure-tools.ts';
import { startCriServer } from './cri-server.ts';

/** What an attachment of the node is called and where it is. */
export interface DoctorPod {
  readonly name: string;
  readonly containerId: string;
  readonly sandbox: Sandbox;
  readonly hostInterface: string;
  readonly added: EndedExecutable;
  /** Sends ADD again, as a runtime does after a failure. */
  retry(): Promise<EndedExecutable>;
  /** The runtime does not list it any more. */
  isGone: boolean;
  /** Removes the sandbox without DEL, as a runtime that has crashed. */
  forget(): Promise<void>;
  /** Sends DEL, removes the sandbox and deletes the Pod. */
  remove(): Promise<void>;
}

/** A node on which podwire is installed as the DaemonSet does, in the private network namespace of the tests. */
export interface DoctorNode extends AsyncDisposable {
  readonly name: string;
  readonly cluster: Cluster;
  readonly folder: string;
  /** CNI_NET_DIR and CNI_BIN_DIR. */
  readonly configs: string;
  readonly programs: string;
  readonly conflistPath: string;
  readonly kubeconfigPath: string;
  readonly adminKubeconfigPath: string;
  readonly logPath: string;
  readonly leases: string;
  /** Writes programs, configuration and a new token, as the DaemonSet does when its pod is restarted. */
  install(overrides?: JsonObject): Promise<void>;
  /** Runs a command for people on the node. */
  podwire(...args: readonly string[]): Promise<EndedExecutable>;
  /** The environment of {@link podwire}. */
  readonly environment: Readonly<Record<string, string>>;
  /** Creates a Pod and a sandbox and runs ADD, which may fail. */
  attach(name: string): Promise<DoctorPod>;
  readonly pods: readonly DoctorPod[];
}

const NAME = 'node-1';
const PROGRAMS = ['host-local', 'portmap', 'bandwidth'] as const;
const TEMPLATE = join(import.meta.dirname, '../../../cni-conf/base/10-podwire.conflist');

/** Starts a real API server and makes the node. It is healthy: forwarding is on, and pods can be attached. */
export async function startDoctorNode({
  podCIDRs = ['10.71.0.0/24'],
}: { readonly podCIDRs?: readonly string[] } = {}): Promise<DoctorNode> {
  await using started = new AsyncDisposableStack();
  const tools = await ensureTools(PROGRAMS);
  const folder = await mkdtemp('/run/podwire-doctor-node-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const [configs, programs, log] = ['net.d', 'bin', 'log'].map((name) => join(folder, name));
  if (configs === undefined || programs === undefined || log === undefined) throw new Error('no folders');
  for (const path of [configs, programs, log]) await mkdir(path);
  const cluster = started.use(await startCluster());
  await cluster.createNode(NAME, { podCIDRs });
  const paths = {
    conflistPath: join(configs, '10-podwire.conflist'),
    kubeconfigPath: join(configs, 'podwire-kubeconfig'),
    adminKubeconfigPath: join(folder, 'admin.conf'),
    logPath: join(log, 'cni.log'),
    leases: join(folder, 'leases'),
  };
  const admin = cluster.kubeconfigWithClientCertificate({
    commonName: 'administrator',
    organizations: ['system:masters'],
  });
  await writeFile(paths.adminKubeconfigPath, JSON.stringify(admin), { mode: 0o600 });
  for (const key of ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']) {
    await hostNamespace().exec('sysctl', '-qw', `${key}=1`);
  }

  const install = async (overrides: JsonObject = {}) => {
    for (const name of PROGRAMS) await place(tools[name], join(programs, name));
    await place(EXECUTABLE, join(programs, 'podwire'));
    const account = await cluster.createPluginAccount({ nodeName: NAME });
    await account.writeKubeconfig(paths.kubeconfigPath);
    const config = await renderConfig({ ...paths, overrides });
    await writeFile(paths.conflistPath, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  };
  await install();

  const pods: DoctorPod[] = [];
  const sandboxes = () =>
    pods
      .filter(({ isGone }) => !isGone)
      .map(({ name, containerId }) => ({ id: containerId, namespace: 'default', name }));
  const runtime = started.use(await startCriServer(join(folder, 'cri.sock'), { configs, programs, sandboxes }));
  const environment = {
    PATH: process.env['PATH'] ?? '',
    CNI_NET_DIR: configs,
    CNI_BIN_DIR: programs,
    LANG: 'C.UTF-8',
    CONTAINER_RUNTIME_ENDPOINT: `unix://${runtime.socketPath}`,
  };
  const attach = async (name: string): Promise<DoctorPod> => {
    const { uid } = await cluster.createPod('default', name, { nodeName: NAME });
    const sandbox = await makeSandbox();
    const containerId = `${name}-`.padEnd(12, '0');
    const call = async (verb: 'ADD' | 'DEL') => {
      const list: unknown = JSON.parse(await readFile(paths.conflistPath, 'utf8'));
      const plugins: unknown = member(list, 'plugins');
      const plugin: unknown = Array.isArray(plugins) ? plugins[0] : undefined;
      const config = { ...(isJsonObject(plugin) ? plugin : {}), name: memberText(list, 'name'), cniVersion: '1.0.0' };
      const pod = { namespace: 'default', name, uid };
      return startPlugin({
        verb,
        containerId,
        interfaceName: 'eth0',
        sandboxPath: sandbox.path,
        pluginPath: programs,
        pod,
        config,
      }).ended;
    };
    const pod: DoctorPod = {
      name,
      containerId,
      sandbox,
      hostInterface: hostInterfaceName({ namespace: 'default', name }),
      added: await call('ADD'),
      retry: () => call('ADD'),
      isGone: false,
      async forget() {
        await sandbox.remove();
        pod.isGone = true;
      },
      async remove() {
        await call('DEL');
        await sandbox.remove();
        await cluster.admin
          .delete(`/api/v1/namespaces/default/pods/${name}?gracePeriodSeconds=0`)
          .catch(() => undefined);
        pods.splice(pods.indexOf(pod), 1);
      },
    };
    pods.push(pod);
    return pod;
  };
  started.defer(async () => {
    while (pods[0] !== undefined) await pods[0].remove();
  });
  const running = started.move();
  return {
    name: NAME,
    cluster,
    folder,
    configs,
    programs,
    ...paths,
    install,
    podwire: (...args) => runExecutable({ args, environment }),
    environment,
    attach,
    pods,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function renderConfig({
  kubeconfigPath,
  logPath,
  leases,
  overrides,
}: {
  readonly kubeconfigPath: string;
  readonly logPath: string;
  readonly leases: string;
  readonly overrides: JsonObject;
}): Promise<JsonObject> {
  const values: Readonly<Record<string, string>> = {
    DATASTORE_TYPE: 'kubernetes',
    KUBERNETES_NODE_NAME: NAME,
    CNI_SPEC_VERSION: '1.1.0',
    IPAM_RANGES: '[[{"subnet":"usePodCidr"}]]',
    REQUIRE_MTU_FILE: 'false',
    CNI_MTU: '0',
    LOG_LEVEL: 'info',
    LOG_FILE_PATH: logPath,
    KUBECONFIG_FILEPATH: kubeconfigPath,
  };
  const text = (await readFile(TEMPLATE, 'utf8')).replaceAll(
    /__([A-Z_]+?)__/g,
    (_, name: string) => values[name] ?? '',
  );
  const list: unknown = JSON.parse(text);
  const plugins: unknown = member(list, 'plugins');
  if (!isJsonObject(list) || !Array.isArray(plugins)) throw new Error('the template is not a list of plugins');
  const [own, ...others]: readonly unknown[] = plugins;
  const ipam = { ...objectOf(member(own, 'ipam')), dataDir: leases };
  return { ...list, plugins: [{ ...objectOf(own), ipam, ...overrides }, ...others.map(objectOf)] };
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

async function place(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to).catch(() => copyFile(from, to));
}

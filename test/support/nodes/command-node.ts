import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import type { RequestInput } from '../../../src/netconf/request.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { startLoopbackApi, type LoopbackApi } from '../../lab/loopback-api/loopback-api.ts';
import { journalFolder, runCommand, type CommandEnd, type CommandSetting } from '../commands/effects.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

/** One command of a runtime. What is not said is that of the container c1 of the pod default/web. */
export interface CommandCall {
  readonly verb: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';
  readonly sandboxPath?: string;
  readonly containerId?: string;
  readonly interfaceName?: string;
  /** Of the namespace `default`; `none` for a network that is not Kubernetes's. */
  readonly pod?: string;
  /** On top of the node's. */
  readonly config?: JsonObject;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * A node on which commands are carried out in this process: a loopback API server, a real host-local, a journal of its own. Several can be
 * in one network namespace: each has networks and interfaces of its own.
 */
export interface CommandNode extends AsyncDisposable {
  readonly api: LoopbackApi;
  readonly folder: string;
  readonly network: string;
  /** What a runtime gives for the call. */
  input(call: CommandCall): RequestInput;
  run(call: CommandCall, setting?: Omit<CommandSetting, 'folder'>): Promise<CommandEnd>;
  /** The same for a command that must succeed: its result. */
  succeed(call: CommandCall): Promise<JsonObject>;
  /** Makes a pod of the namespace `default`, or makes it anew, as it is before its first attachment. */
  putPod(name?: string, uid?: string): void;
  hostInterface(pod?: string): string;
  /** What attachments leave outside their sandbox, one line each. Equal before and after: nothing left. */
  state(): Promise<readonly string[]>;
}

const NODE_NAME = 'command-node';
const ANNOTATION = 'cni.projectcalico.org/';

/** @param number tells it from other nodes of the same network namespace: 0-99 */
export async function startCommandNode(number: number): Promise<CommandNode> {
  await using started = new AsyncDisposableStack();
  const { 'host-local': hostLocal } = await ensureTools(['host-local']);
  const folder = await mkdtemp('/run/podwire-commands-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const [v4, v6] = [`10.80.${number}.`, `fd80:${number}::`];
  const nodes = [{ metadata: { name: NODE_NAME }, spec: { podCIDRs: [`${v4}0/24`, `${v6}/64`] } }];
  const api = started.use(await startLoopbackApi({ token: 'a-token', nodes }));
  const [kubeconfigPath, dataDir] = [join(folder, 'kubeconfig'), join(folder, 'leases')];
  api.writeKubeconfig(kubeconfigPath);
  const [network, prefix] = [`network-${number}`, `pw${String(number).padStart(2, '0')}`];
  const pods = new Set<string>();

  const input = (call: CommandCall): RequestInput => {
    const { verb, sandboxPath = '', containerId = 'c1', interfaceName = 'eth0', pod = 'web', config = {} } = call;
    const config_ = {
      cniVersion: '1.1.0',
      name: network,
      type: 'podwire',
      nodename: NODE_NAME,
      kubernetes: { kubeconfig: kubeconfigPath },
      ...config,
      ipam: {
        type: 'host-local',
        dataDir,
        ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]],
        ...(isJsonObject(config['ipam']) && config['ipam']),
      },
    };
    const environment = {
      PATH: process.env['PATH'],
      FELIX_INTERFACEPREFIX: prefix,
      CNI_COMMAND: verb,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: sandboxPath,
      CNI_IFNAME: interfaceName,
      CNI_PATH: dirname(hostLocal),
      ...(pod !== 'none' && { CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod}` }),
      ...call.environment,
    };
    return { environment, stdin: new TextEncoder().encode(JSON.stringify(config_)) };
  };
  const putPod = (name = 'web', uid = `uid-of-${name}`) => {
    pods.add(name);
    const metadata = { namespace: 'default', name, uid, annotations: { kept: 'yes' } };
    api.putPod({ metadata, spec: { nodeName: NODE_NAME } });
  };
  putPod();
  const run: CommandNode['run'] = (call, setting) => runCommand(input(call), { ...setting, folder });
  const running = started.move();
  return {
    api,
    folder,
    network,
    input,
    run,
    async succeed(call) {
      const { error, outputs } = await run(call);
      if (error !== undefined) throw new Error(`${call.verb} failed: ${error.message}`, { cause: error });
      const answer: unknown = JSON.parse(outputs[0] ?? '{}');
      return isJsonObject(answer) ? answer : {};
    },
    putPod,
    hostInterface: (pod = 'web') => `${prefix}${hash('sha1', `default.${pod}`).slice(0, 11)}`,
    async state() {
      const kernelLines = await observeHost([` ${prefix}`, v4, v6]);
      const leases = await readFiles(dataDir, /\/[0-9a-f.:]+$/);
      const records = await readFiles(journalFolder(folder), /(?<!\/swept-boot)$/);
      const endpoints = [...pods].map((name) => describeEndpoint(api, name));
      return [...kernelLines, ...leases, ...records, ...endpoints].toSorted();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function observeHost(marks: readonly string[]): Promise<readonly string[]> {
  const commands = ['ip -o link show', 'ip -4 route show table all', 'ip -6 route show table all'];
  const lines = (await hostNamespace().exec('sh', '-c', commands.join('; '))).split('\n');
  // The kernel's own routes of a link come with its carrier and its first address, which may be a moment later, and go with it.
  return lines.filter((line) => marks.some((mark) => line.includes(mark)) && !line.includes(' proto kernel '));
}

async function readFiles(folder: string, wanted: RegExp): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const texts = paths
    .filter((path) => wanted.test(path))
    .map(async (path) => `${path} ${await readFile(path, 'utf8')}`);
  return Promise.all(texts);
}

// An endpoint that was taken off keeps `containerID` beside empty addresses: so the agent tells it from one not yet attached.
function describeEndpoint(api: LoopbackApi, name: string): string {
  const annotations = api.pod('default', name)?.metadata.annotations ?? {};
  const isCleared = (annotations[`${ANNOTATION}podIP`] ?? '') === '';
  const kept = Object.entries(annotations).filter(([key]) => !isCleared || !key.startsWith(ANNOTATION));
  return `pod ${name} ${JSON.stringify(Object.fromEntries(kept))}`;
}

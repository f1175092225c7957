import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import type { RequestInput } from '../../../src/netconf/request.ts';
import { hostInterfaceName } from '../../lab/host-interface-name.ts';
import { startLoopbackApi, type LoopbackApi } from '../../lab/loopback-api/loopback-api.ts';
import { runtimeEnvironment, runtimeStdin } from '../../lab/runtime-call.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { placePlugins } from '../../lab/tools/place-plugins.ts';
import { journalFolder, runCommand, type CommandEnd, type CommandSetting } from '../commands/effects.ts';
import { until } from '../../lab/until.ts';
import { formatEndpoint } from './node-state.ts';
import { makeTestNode, type NodeCall, type TestNode } from './test-node.ts';

/** One command. Absent members are those of the container c1 of the pod default/web. */
export interface CommandCall extends Omit<NodeCall, 'verb' | 'pod' | 'within' | 'executable' | 'directory'> {
  readonly verb: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';
  /** A pod of the namespace `default`; `none` for a network without Kubernetes. */
  readonly pod?: string;
  /** K8S_POD_UID; by default that of the pod that `putPod` creates. */
  readonly podUid?: string;
}

/** A node with a loopback API server, whose commands run in this process. Several can share a network namespace. */
export interface CommandNode extends Omit<TestNode, 'call' | 'state'>, AsyncDisposable {
  readonly api: LoopbackApi;
  /** The input that a runtime passes for the call. */
  input(call: CommandCall): RequestInput;
  run(call: CommandCall, setting?: Omit<CommandSetting, 'folder'>): Promise<CommandEnd>;
  /** Runs a command that must succeed, and returns its result. */
  succeed(call: CommandCall): Promise<JsonObject>;
  /** Creates or replaces a pod of the namespace `default`, without an endpoint. */
  putPod(name?: string, uid?: string, annotations?: Readonly<Record<string, string>>): void;
  hostInterface(pod?: string): string;
  /** The path of a container's record. */
  record(containerId?: string): string;
  /** The node's state as lines, with the text of each record. */
  state(): Promise<readonly string[]>;
  /** Waits until the node has this state: the kernel deletes a link a moment after its sandbox. */
  untilState(expected: readonly string[]): Promise<void>;
}

const NODE_NAME = 'command-node';

/** @param number 0 to 99; different for each node in the same network namespace */
export async function startCommandNode(number: number): Promise<CommandNode> {
  await using started = new AsyncDisposableStack();
  const plugins = await ensureTools(['host-local']);
  const folder = await mkdtemp('/run/podwire-commands-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const v4 = `10.80.${number}.`;
  const v6 = `fd80:${number}::`;
  const nodes = [{ metadata: { name: NODE_NAME }, spec: { podCIDRs: [`${v4}0/24`, `${v6}/64`] } }];
  const api = started.use(await startLoopbackApi({ token: 'a-token', nodes }));
  const prefix = `pw${String(number).padStart(2, '0')}`;
  const node = makeTestNode({
    name: NODE_NAME,
    network: `network-${number}`,
    cniVersion: '1.1.0',
    folder,
    pluginPath: await placePlugins(plugins, join(folder, 'plugins')),
    ranges: { ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] },
    journalFolder: join(journalFolder(folder), 'networks'),
    environment: { FELIX_INTERFACEPREFIX: prefix },
    isOurs: (line) => [` ${prefix}`, v4, v6].some((mark) => line.includes(mark)),
    endpoints: () => api.pods().flatMap(({ metadata }) => formatEndpoint(metadata.name, metadata.annotations)),
  });
  api.writeKubeconfig(node.kubeconfigPath);

  const input = ({ pod = 'web', podUid = `uid-of-${pod}`, ...call }: CommandCall): RequestInput => {
    const { config, ...whole } = node.call({
      ...call,
      pod: pod === 'none' ? pod : { namespace: 'default', name: pod, uid: podUid },
    });
    const stdin = runtimeStdin(config);
    return {
      environment: runtimeEnvironment(whole),
      stdin: typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin,
    };
  };
  const putPod: CommandNode['putPod'] = (name = 'web', uid = `uid-of-${name}`, annotations = {}) => {
    const metadata = { namespace: 'default', name, uid, annotations: { kept: 'yes', ...annotations } };
    api.putPod({ metadata, spec: { nodeName: NODE_NAME } });
  };
  putPod();
  const run: CommandNode['run'] = (call, setting) => runCommand(input(call), { ...setting, folder });
  const state: CommandNode['state'] = async () => {
    const { links, routes, leases, records, endpoints } = await node.state();
    const texts = records.map(async (name) => `record ${name} ${await readFile(join(node.journal, name), 'utf8')}`);
    return [
      ...links.map((line) => `link ${line}`),
      ...routes.map((line) => `route ${line}`),
      ...leases.map((line) => `lease ${line}`),
      ...(await Promise.all(texts)),
      ...endpoints.map((line) => `pod ${line}`),
    ];
  };
  const running = started.move();
  return {
    ...node,
    api,
    input,
    run,
    async succeed(call) {
      const { error, outputs } = await run(call);
      if (error !== undefined) throw new Error(`${call.verb} failed: ${error.message}`, { cause: error });
      const answer: unknown = JSON.parse(outputs[0] ?? '{}');
      return isJsonObject(answer) ? answer : {};
    },
    putPod,
    hostInterface: (name = 'web') => hostInterfaceName({ name }, prefix),
    record: (containerId = 'c1') => join(node.journal, `${containerId}@eth0.record.json`),
    state,
    untilState: (expected) =>
      until('the node is in the expected state', async () => (await state()).join() === expected.join(), {
        explain: async () => (await state()).filter((line) => !expected.includes(line)).join('\n'),
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

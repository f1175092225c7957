import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startLoopbackApi, type LoopbackApi } from '../../lab/loopback-api/loopback-api.ts';
import type { EndedExecutable, RunningExecutable } from '../../lab/run-executable.ts';
import { startPlugin } from '../../lab/run-plugin.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { placePlugins } from '../../lab/tools/place-plugins.ts';
import { makeTestNode, type NodeCall, type TestNode } from './test-node.ts';
import { formatEndpoint, JOURNAL } from './node-state.ts';

/** A node whose API server shows any fault that a test sets, and whose calls run the executable. */
export interface LoopbackNode extends TestNode, AsyncDisposable {
  readonly api: LoopbackApi;
  start(call: NodeCall): RunningExecutable;
  run(call: NodeCall): Promise<EndedExecutable>;
}

export const NODE_NAME = 'fault-node';
export const WEB = { namespace: 'default', name: 'web', uid: 'web-uid-1' } as const;

/** A token like those of real accounts. No output may contain it. */
export const CANARY_TOKEN = [
  Buffer.from('{"alg":"RS256","kid":"canary"}').toString('base64url'),
  Buffer.from('{"sub":"system:serviceaccount:kube-system:podwire","exp":4102444800}').toString('base64url'),
  'Y2FuYXJ5LXNpZ25hdHVyZS10aGF0LW5vYm9keS1tYXktc2Vl',
].join('.');

/** Starts the API server with the pod default/web, which calls use by default. */
export async function startLoopbackNode(): Promise<LoopbackNode> {
  await using started = new AsyncDisposableStack();
  const plugins = await ensureTools(['host-local']);
  const folder = await mkdtemp('/run/podwire-loopback-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const api = started.use(
    await startLoopbackApi({
      token: CANARY_TOKEN,
      nodes: [{ metadata: { name: NODE_NAME }, spec: { podCIDRs: ['10.73.0.0/24', 'fd73::/64'] } }],
    }),
  );
  putWeb(api);
  const node = makeTestNode({
    name: NODE_NAME,
    network: `faulty-${basename(folder)}`, // a separate network: what a failed test leaves must not affect the next file
    folder,
    pluginPath: await placePlugins(plugins, join(folder, 'plugins')),
    ranges: { ranges: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] },
    journalFolder: JOURNAL,
    pod: WEB,
    endpoints: () =>
      api
        .pods()
        .flatMap(({ metadata }) => formatEndpoint(`${metadata.namespace}/${metadata.name}`, metadata.annotations)),
  });
  api.writeKubeconfig(node.kubeconfigPath);
  const start = (call: NodeCall) => startPlugin(node.call(call));
  const running = started.move();
  return { ...node, api, start, run: (call) => start(call).ended, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Creates or replaces the pod default/web, without an endpoint. */
export function putWeb(api: LoopbackApi, uid: string = WEB.uid): void {
  api.putPod({ metadata: { ...WEB, uid, annotations: { kept: 'yes' } }, spec: { nodeName: NODE_NAME } });
}

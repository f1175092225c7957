import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/json/json.ts';
import { hostInterfaceName } from '../host-interface-name.ts';
import { netconf } from '../netconf.ts';
import { addressByFamily, type ResultAddresses } from '../result-addresses.ts';
import { EXECUTABLE } from '../run-executable.ts';
import { startPlugin, type PluginStart } from '../run-plugin.ts';
import { families, type ClusterNode, type TwoNodes } from './two-nodes.ts';
import type { MachineSandbox } from './machine.ts';
import { formatRoute, readRoutes } from './route.ts';

/** An attached pod of one of the two nodes. Disposing of it detaches it, unless this has been done, and removes it. */
export interface NodePod extends AsyncDisposable {
  readonly name: string;
  readonly node: ClusterNode;
  readonly sandbox: MachineSandbox;
  /** Addresses without prefix length; empty text for a family without an address. */
  readonly addresses: ResultAddresses;
  readonly hostInterface: string;
  /**
   * Runs DEL.
   *
   * @throws {Error} with the output of the executable, if DEL fails
   */
  detach(): Promise<void>;
}

const NETWORK = 'k8s-pod-network';
const NAMESPACE = 'demo';

/**
 * Creates a pod and attaches it.
 *
 * @throws {Error} with the output of the executable, if ADD fails
 */
export async function attachTo(
  node: ClusterNode,
  name: string,
  { api }: TwoNodes,
  executable = EXECUTABLE,
): Promise<NodePod> {
  await using made = new AsyncDisposableStack();
  const pod = { namespace: NAMESPACE, name, uid: `uid-of-${name}` };
  api.putPod({ metadata: pod, spec: { nodeName: node.name, containers: [] } });
  made.defer(() => api.deletePod(NAMESPACE, name));
  const sandbox = made.use(await node.machine.makeSandbox(name));
  const containerId = randomBytes(32).toString('hex');
  const call = (verb: string) =>
    runOn(node, verb, { pod, containerId, sandboxPath: sandbox.pathOnMachine, executable });
  let detaching: Promise<unknown> | undefined;
  const detach = async () => void (await (detaching ??= call('DEL')));
  made.defer(detach);
  const addresses = addressByFamily(await call('ADD'));
  const attached = made.move();
  return {
    name,
    node,
    sandbox,
    addresses,
    hostInterface: hostInterfaceName(pod),
    detach,
    [Symbol.asyncDispose]: () => attached.disposeAsync(),
  };
}

/** Everything that a pod can leave on a node, as lines of text. */
export async function observeTraces({ machine }: ClusterNode): Promise<readonly string[]> {
  const links = (await machine.ip('link', 'show')).map((link) => `interface ${JSON.stringify(link)}`);
  const folder = join(machine.rootFolder, 'var/lib');
  const leases = await readdir(join(folder, 'cni/networks', NETWORK)).catch(() => []);
  const records = await readdir(join(folder, 'podwire', NETWORK)).catch(() => []);
  return [
    ...links.filter((line) => line.includes('"cali')),
    ...(await readRoutes(machine)).map((route) => `route ${formatRoute(route)}`),
    ...leases.filter((file) => /^[0-9a-f]+[.:]/.test(file)).map((file) => `lease ${file}`),
    ...records.filter((file) => file.endsWith('.json')).map((file) => `record ${file}`),
  ];
}

async function runOn(node: ClusterNode, verb: string, call: Omit<PluginStart, 'verb' | 'config' | 'pluginPath'>) {
  const { machine, pluginFolder, name } = node;
  const { exitCode, stdout, stderr, answer } = await startPlugin({
    verb,
    ...call,
    interfaceName: 'eth0',
    pluginPath: pluginFolder,
    config: networkConfig(node),
    within: machine.within,
  }).ended;
  if (exitCode === 0) return answer;
  throw new Error(`${verb} of ${call.pod?.name} on ${name} failed: ${stdout}\n${stderr}`.trimEnd());
}

function networkConfig({ name, kubeconfigPath }: ClusterNode): JsonObject {
  const subnets = { ipv4: 'usePodCidr', ipv6: 'usePodCidrIPv6' } as const;
  return netconf({
    name: NETWORK,
    nodename: name,
    log_level: 'warning',
    policy: { type: 'k8s' },
    ipam: { type: 'host-local', ranges: families().map((family) => [{ subnet: subnets[family.name] }]) },
    kubernetes: { kubeconfig: kubeconfigPath },
  });
}

import { hash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/json/json.ts';
import { EXECUTABLE, startExecutable } from '../run-executable.ts';
import { addressesIn } from '../../support/nodes/test-pod.ts';
import { families, type ClusterNode, type FamilyName, type TwoNodes } from './two-nodes.ts';
import type { MachineSandbox } from './machine.ts';
import { formatRoute, readRoutes } from './route.ts';

/** A pod of one of two nodes, attached. Disposing of it detaches it, if that has not been done, and removes it. */
export interface NodePod extends AsyncDisposable {
  readonly name: string;
  readonly node: ClusterNode;
  readonly sandbox: MachineSandbox;
  /** Without prefix length, empty where there is none. */
  readonly addresses: Readonly<Record<FamilyName, string>>;
  readonly hostInterface: string;
  /** @throws {Error} with what the executable said, if DEL fails */
  detach(): Promise<void>;
}

const NETWORK = 'k8s-pod-network';
const NAMESPACE = 'demo';

/** @throws {Error} with what the executable said, if ADD fails */
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
  const call = (verb: string) => runOn(node, verb, executable, { ...pod, containerId, sandbox });
  let detaching: Promise<unknown> | undefined;
  const detach = async () => void (await (detaching ??= call('DEL')));
  made.defer(detach);
  const addresses = addressesIn(await call('ADD'));
  const attached = made.move();
  return {
    name,
    node,
    sandbox,
    addresses: {
      ipv4: addresses.find((address) => !address.includes(':')) ?? '',
      ipv6: addresses.find((address) => address.includes(':')) ?? '',
    },
    hostInterface: `cali${hash('sha1', `${NAMESPACE}.${name}`).slice(0, 11)}`,
    detach,
    [Symbol.asyncDispose]: () => attached.disposeAsync(),
  };
}

/** All that a pod can leave on a node, each a line of text. */
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

interface Call {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly containerId: string;
  readonly sandbox: MachineSandbox;
}

async function runOn(node: ClusterNode, verb: string, executable: string, call: Call): Promise<JsonObject | undefined> {
  const { namespace, name, uid, containerId, sandbox } = call;
  const ended = await startExecutable({
    executable,
    within: node.machine.within,
    stdin: JSON.stringify(networkConfig(node)),
    environment: {
      PATH: process.env['PATH'],
      CNI_COMMAND: verb,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: sandbox.pathOnMachine,
      CNI_IFNAME: 'eth0',
      CNI_PATH: node.pluginFolder,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=${uid};K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
    },
  }).ended;
  const { exitCode, stdout, stderr, answer } = ended;
  if (exitCode !== 0) throw new Error(`${verb} of ${name} on ${node.name} failed: ${stdout}\n${stderr}`.trimEnd());
  return answer;
}

function networkConfig({ name, kubeconfigPath }: ClusterNode): JsonObject {
  const subnets = { ipv4: 'usePodCidr', ipv6: 'usePodCidrIPv6' } as const;
  return {
    cniVersion: '1.0.0',
    name: NETWORK,
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: name,
    log_level: 'warning',
    policy: { type: 'k8s' },
    ipam: { type: 'host-local', ranges: families().map((family) => [{ subnet: subnets[family.name] }]) },
    kubernetes: { kubeconfig: kubeconfigPath },
  };
}

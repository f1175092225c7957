import { openCluster } from '../../src/cluster/cluster.ts';
import { readConnection, type ApiConnection } from '../../src/cluster/credentials/connection.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { startCluster, type Cluster } from '../../test/lab/api-server/kube-apiserver.ts';
import { activityBetween, parseApiMetrics, type ApiActivity } from './api-metrics.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** A cluster of Nodes that exist only in the API server, each with a Pod. */
export interface Fleet extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly nodeCount: number;
  readonly connection: ApiConnection;
}

export interface FleetLoad {
  /** Half of them are ADDs, half DELs. Each uses a new connection, as if it came from another node. */
  readonly commandsPerSecond: number;
  readonly commands: number;
  /** The time that a command spends on the API: connection, TLS and all requests. */
  readonly commandMs: Spread;
  readonly api: ApiActivity;
  readonly failures: readonly string[];
}

const NAMESPACE = 'fleet';
const MAX_CREATED_AT_ONCE = 16;
const MAX_IN_FLIGHT = 500;

/** Starts an API server, and creates `nodeCount` Nodes with a Pod on each. */
export async function openFleet(nodeCount: number, onProgress: (text: string) => void): Promise<Fleet> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.use(await startCluster());
  const kubeconfigPath = '/run/podwire-fleet-kubeconfig';
  await (await cluster.createPluginAccount()).writeKubeconfig(kubeconfigPath);
  // The first createPod also creates the namespace. The others skip that, which saves a request each.
  await cluster.createPod(NAMESPACE, podName(0), { nodeName: nodeName(0) });
  let next = 0;
  const create = async (): Promise<void> => {
    for (let index = next++; index < nodeCount; index = next++) {
      const podCIDR = `10.${100 + Math.floor(index / 256)}.${index % 256}.0/24`;
      await cluster.createNode(nodeName(index), { podCIDRs: [podCIDR] });
      if (index > 0) await createPod(cluster, index);
      if (index % 1000 === 0) onProgress(`${index} of ${nodeCount} nodes`);
    }
  };
  await Promise.all(Array.from({ length: MAX_CREATED_AT_ONCE }, create));
  const configured = { kubeconfigPath, datastoreType: 'kubernetes', apiRoot: undefined, token: undefined };
  const noFiles = { clientCertificatePath: undefined, clientKeyPath: undefined, certificateAuthorityPath: undefined };
  const connection = await readConnection({ ...configured, ...noFiles }, {});
  const running = opened.move();
  return { cluster, nodeCount, connection, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/**
 * Runs the API requests of ADDs and DELs for one node after the other, at an even rate. They do not wait for each
 * other, however long the server takes. They are made by podwire's own code; nothing is attached.
 *
 * @param firstTurn how many ADDs and DELs have run before, so that this run continues with the next node
 */
export async function loadFleet(
  fleet: Fleet,
  { commandsPerSecond, commands, firstTurn }: { commandsPerSecond: number; commands: number; firstTurn: number },
): Promise<FleetLoad> {
  const before = await readMetrics(fleet);
  const times: number[] = [];
  const failures: string[] = [];
  let inFlight = 0;
  const run = async (index: number): Promise<void> => {
    inFlight += 1;
    const startedMs = performance.now();
    try {
      const turn = firstTurn + Math.floor(index / 2);
      // DELs run half the fleet away from the ADDs, so that each one finds an annotation to clear.
      if (index % 2 === 0) await requestAdd(fleet, turn % fleet.nodeCount);
      else await requestDel(fleet, (turn + Math.ceil(fleet.nodeCount / 2)) % fleet.nodeCount);
      times.push(performance.now() - startedMs);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    } finally {
      inFlight -= 1;
    }
  };
  const startedMs = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < commands; index++) {
    const waitMs = startedMs + (index / commandsPerSecond) * 1000 - performance.now();
    if (waitMs > 0) await new Promise((resolve) => void setTimeout(resolve, waitMs));
    if (inFlight >= MAX_IN_FLIGHT) failures.push(`${MAX_IN_FLIGHT} commands are already waiting for the server`);
    else running.push(run(index));
  }
  await Promise.all(running);
  const api = activityBetween(before, await readMetrics(fleet));
  return { commandsPerSecond, commands, commandMs: spreadOf(times.length > 0 ? times : [0]), api, failures };
}

async function requestAdd({ connection }: Fleet, index: number): Promise<void> {
  using client = openClient(connection);
  const deadline = startDeadline(DEADLINE_MS);
  const pod = { namespace: NAMESPACE, name: podName(index) };
  const node = await client.readNode(nodeName(index), deadline);
  if (node === 'absent') throw new Error(`${nodeName(index)} is absent`);
  const podIp = `10.100.${index % 256}.2/32`;
  const annotations = endpointAnnotations(`container-${index}-${Date.now()}`, podIp);
  const patched = await client.patchPodAnnotations(pod, { uid: undefined, annotations }, deadline);
  if (patched === 'absent' || patched === 'conflict') throw new Error(`${pod.name}: ${patched}`);
}

async function requestDel({ connection }: Fleet, index: number): Promise<void> {
  using client = openClient(connection);
  const deadline = startDeadline(DEADLINE_MS);
  const pod = { namespace: NAMESPACE, name: podName(index) };
  const conditions = { uid: undefined, nodeName: nodeName(index), annotations: {} };
  const outcome = await client.patchPodIf(
    pod,
    { conditions, annotations: endpointAnnotations('container-0', '') },
    deadline,
  );
  if (outcome !== 'patched') throw new Error(`${pod.name}: ${outcome}`);
}

const DEADLINE_MS = 10_000;

function openClient(connection: ApiConnection) {
  const budgets = { apiConnectMs: DEADLINE_MS, apiRequestMs: DEADLINE_MS };
  return openCluster({ connect: () => connection, budgets, log: { debug: () => undefined } });
}

function endpointAnnotations(containerId: string, podIp: string): Readonly<Record<string, string>> {
  const prefix = 'cni.projectcalico.org';
  return { [`${prefix}/containerID`]: containerId, [`${prefix}/podIP`]: podIp, [`${prefix}/podIPs`]: podIp };
}

async function createPod({ admin }: Cluster, index: number): Promise<void> {
  const spec = { nodeName: nodeName(index), containers: [{ name: 'main', image: 'never-pulled' }] };
  await admin.create(`/api/v1/namespaces/${NAMESPACE}/pods`, { metadata: { name: podName(index) }, spec });
}

async function readMetrics({ cluster }: Fleet) {
  return parseApiMetrics(String(await cluster.admin.get('/metrics')));
}

function nodeName(index: number): string {
  return `node-${index}`;
}

function podName(index: number): string {
  return `pod-${index}`;
}

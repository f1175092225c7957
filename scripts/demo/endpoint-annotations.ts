import { openCluster } from '../../src/cluster/cluster.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { PATIENT_BUDGETS, readKubeconfig } from './chosen-pod.ts';
import { podName, type DemoCluster, type DemoPod } from './demo-cluster.ts';

const PREFIX = 'cni.projectcalico.org/';
/** The annotation that holds all addresses of an endpoint. */
export const POD_IPS = `${PREFIX}podIPs`;
/** The annotation that holds the first of them. */
export const POD_IP = `${PREFIX}podIP`;

/**
 * Reads the endpoint's annotations of a Pod: name and value, sorted by name.
 *
 * @throws {CniError} if the API server does not respond
 */
export async function readEndpointAnnotations(
  { kubeconfigPath }: DemoCluster,
  pod: DemoPod,
): Promise<ReadonlyMap<string, string>> {
  const connect = () => readKubeconfig(kubeconfigPath);
  using cluster = openCluster({ connect, budgets: PATIENT_BUDGETS, log: { debug: () => undefined } });
  const found = await cluster.readPod(pod, startDeadline(20_000));
  if (found === 'absent') throw new Error(`pod ${podName(pod)} no longer exists`);
  const annotations = Object.entries(found.annotations).filter(([key]) => key.startsWith(PREFIX));
  return new Map(annotations.toSorted(([one], [other]) => one.localeCompare(other)));
}

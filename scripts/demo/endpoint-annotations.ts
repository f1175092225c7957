import { openCluster } from '../../src/cluster/cluster.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import { PATIENT_BUDGETS } from './chosen-pod.ts';
import { podName, type Stage, type StagePod } from './stage.ts';

const PREFIX = 'cni.projectcalico.org/';

/**
 * What stands on the Pod of its endpoint: annotation and value, sorted by name.
 *
 * @throws {CniError} if the API server cannot be asked
 */
export async function readEndpointAnnotations(
  { kubeconfigPath }: Stage,
  pod: StagePod,
): Promise<ReadonlyMap<string, string>> {
  const settings = {
    kubeconfigPath,
    apiRoot: undefined,
    token: undefined,
    clientCertificatePath: undefined,
    clientKeyPath: undefined,
    certificateAuthorityPath: undefined,
    datastoreType: undefined,
  };
  const connect = () => readConnection(settings, {});
  using cluster = openCluster({ connect, budgets: PATIENT_BUDGETS, log: { debug: () => undefined } });
  const found = await cluster.readPod(pod, startDeadline(20_000));
  if (found === 'absent') throw new Error(`pod ${podName(pod)} is gone`);
  const ours = Object.entries(found.annotations).filter(([key]) => key.startsWith(PREFIX));
  return new Map(ours.toSorted(([one], [other]) => one.localeCompare(other)));
}

/** The annotation that holds all addresses of an endpoint. */
export const POD_IPS = `${PREFIX}podIPs`;
/** The annotation that holds the first of them. */
export const POD_IP = `${PREFIX}podIP`;

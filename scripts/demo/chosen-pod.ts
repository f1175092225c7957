import { access, constants } from 'node:fs/promises';
import { CniError } from '../../src/cni/error.ts';
import { formatCidr } from '../../src/address/cidr.ts';
import { openCluster } from '../../src/cluster/cluster.ts';
import { readConnection, type ApiConnection } from '../../src/cluster/credentials/connection.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import type { Pod } from '../../src/cluster/pod.ts';
import type { ClusterArguments } from './arguments.ts';
import type { UserClusterParameters } from './demo-parameters.ts';
import { patchAnnotations } from './patch-annotations.ts';

/** A pod of the user's cluster, as it was before the demo. */
export interface ChosenPod {
  readonly connection: ApiConnection;
  readonly parameters: Omit<UserClusterParameters, 'socketPath'>;
  /** Restores the endpoint's annotations, and returns how many had changed. */
  restore(): Promise<number>;
}

/** Time limits for a slow connection to a distant cluster. */
export const PATIENT_BUDGETS = { apiConnectMs: 5000, apiRequestMs: 10_000 } as const;

const PREFIX = 'cni.projectcalico.org/';
const ENDPOINT_KEYS = ['containerID', 'podIP', 'podIPs'].map((name) => PREFIX + name);

/**
 * Reads the pod and its node. Writes nothing.
 *
 * @throws {Error} for a pod that the demo cannot use, or should not use without `--yes-overwrite`
 */
export async function findChosenPod(chosen: ClusterArguments): Promise<ChosenPod> {
  const { kubeconfigPath, pod: reference, nodeName: requestedNode } = chosen;
  await access(kubeconfigPath, constants.R_OK).catch((cause: unknown) => {
    throw new Error(`--kubeconfig ${kubeconfigPath} cannot be read: check its path and permissions`, { cause });
  });
  const connection = await readKubeconfig(kubeconfigPath);
  using cluster = openCluster({ connect: () => connection, budgets: PATIENT_BUDGETS, log: { debug: () => undefined } });
  const readPod = (): Promise<Pod | 'absent'> => cluster.readPod(reference, startDeadline(20_000));
  const pod = await readPod();
  const name = `${reference.namespace}/${reference.name}`;
  if (pod === 'absent') throw new Error(`${connection.server.text} has no pod ${name}`);
  assertNotInUse(pod, chosen);
  const podCidrNodeName = requestedNode ?? pod.nodeName;
  if (podCidrNodeName === undefined) throw new Error(`pod ${name} has no node yet: add --node NAME`);
  const node = await cluster.readNode(podCidrNodeName, startDeadline(20_000));
  if (node === 'absent') throw new Error(`${connection.server.text} has no node ${podCidrNodeName}`);
  if (node.podCidrs.length === 0) {
    throw new Error(
      `node ${podCidrNodeName} has no podCIDR (spec.podCIDRs) to take the pod's addresses from: choose another with --node`,
    );
  }
  const before = pickEndpointAnnotations(pod);
  return {
    connection,
    parameters: {
      serverText: connection.server.text,
      scheme: connection.server.isEncrypted ? 'https' : 'http',
      basePath: connection.server.basePath,
      ...kubeconfigParts(connection),
      pod: { ...reference, uid: pod.uid },
      nodeName: pod.nodeName ?? podCidrNodeName,
      podCidrNodeName,
      podCidrs: node.podCidrs.map(formatCidr),
    },
    async restore() {
      // A new connection: the demo may have taken longer than the server keeps an idle one open.
      using later = openCluster({
        connect: () => connection,
        budgets: PATIENT_BUDGETS,
        log: { debug: () => undefined },
      });
      const current = await later.readPod(reference, startDeadline(20_000));
      if (current === 'absent' || current.uid !== pod.uid) return 0;
      const after = pickEndpointAnnotations(current);
      const changed = ENDPOINT_KEYS.filter((key) => after[key] !== before[key]);
      if (changed.length === 0) return 0;
      const annotations = Object.fromEntries(changed.map((key) => [key, before[key] ?? null]));
      await patchAnnotations(connection, reference, { uid: pod.uid, annotations });
      return changed.length;
    },
  };
}

/**
 * Reads how to reach the API server of a kubeconfig.
 *
 * @throws {CniError} if it cannot be used, naming the option
 */
export async function readKubeconfig(kubeconfigPath: string): Promise<ApiConnection> {
  const settings = {
    kubeconfigPath,
    apiRoot: undefined,
    token: undefined,
    clientCertificatePath: undefined,
    clientKeyPath: undefined,
    certificateAuthorityPath: undefined,
    datastoreType: undefined,
  };
  return readConnection(settings, {}).catch((cause: unknown) => {
    // The plugin knows the file by the key of its network configuration.
    if (!(cause instanceof CniError)) throw cause;
    const message = cause.message.replaceAll('kubernetes.kubeconfig in the network configuration', '--kubeconfig');
    throw new CniError(cause.code, message, { details: cause.details, cause });
  });
}

function assertNotInUse({ annotations, hostNetwork }: Pod, { pod, mayOverwrite }: ClusterArguments): void {
  if (mayOverwrite) return;
  const name = `${pod.namespace}/${pod.name}`;
  const remedy = 'choose another pod, or add --yes-overwrite';
  const podIp = annotations[`${PREFIX}podIP`] ?? '';
  if (podIp !== '') {
    throw new Error(
      `pod ${name} already has an endpoint (${PREFIX}podIP is ${podIp}), which the demo would overwrite: ${remedy}`,
    );
  }
  if (hostNetwork) {
    throw new Error(`pod ${name} uses its node's network (hostNetwork), so it has no endpoint: ${remedy}`);
  }
}

function pickEndpointAnnotations({ annotations }: Pod): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(ENDPOINT_KEYS.map((key) => [key, annotations[key]]));
}

// The plugin in the namespace reads a copy of the kubeconfig whose server is the relay. Everything else is inline, and
// the name that the server's certificate must have remains that of the original server.
function kubeconfigParts({
  server,
  tls,
  token,
}: ApiConnection): Pick<UserClusterParameters, 'kubeconfigCluster' | 'kubeconfigUser'> {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const { certificateAuthority, clientCertificate } = tls ?? {};
  return {
    kubeconfigCluster: {
      ...(tls && { 'tls-server-name': tls.serverName ?? server.host }),
      ...(tls?.verification === 'off' && { 'insecure-skip-tls-verify': true }),
      ...(certificateAuthority && { 'certificate-authority-data': base64(certificateAuthority.text) }),
    },
    kubeconfigUser: {
      ...(token && { token: token.reveal() }),
      ...(clientCertificate && {
        'client-certificate-data': base64(clientCertificate.certificate.text),
        'client-key-data': base64(clientCertificate.key.reveal()),
      }),
    },
  };
}

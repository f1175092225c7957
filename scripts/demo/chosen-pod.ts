import { formatCidr } from '../../src/address/cidr.ts';
import { openCluster } from '../../src/cluster/cluster.ts';
import { readConnection, type ApiConnection } from '../../src/cluster/credentials/connection.ts';
import { startDeadline } from '../../src/cluster/wire/deadline.ts';
import type { Pod } from '../../src/cluster/pod.ts';
import type { ClusterArguments } from './arguments.ts';
import type { ClusterOrders } from './orders.ts';
import { patchAnnotations } from './patch-annotations.ts';

/** A pod of a cluster of the user's, as it was found. */
export interface ChosenPod {
  readonly connection: ApiConnection;
  readonly orders: Omit<ClusterOrders, 'socketPath'>;
  /** Puts the annotations of the endpoint back as they were found: how many were not so. */
  restore(): Promise<number>;
}

/** What a plugin across a slow line to a cluster far away may take. */
export const PATIENT_BUDGETS = { apiConnectMs: 5000, apiRequestMs: 10_000 } as const;

const PREFIX = 'cni.projectcalico.org/';
const ENDPOINT_KEYS = ['containerID', 'podIP', 'podIPs'].map((name) => PREFIX + name);

/**
 * Looks at the pod and its node; writes nothing.
 *
 * @throws {Error} for a pod that the demo cannot use or had better leave alone
 */
export async function findChosenPod(chosen: ClusterArguments): Promise<ChosenPod> {
  const { kubeconfigPath, pod: reference, nodeName: askedNode } = chosen;
  const connection = await readConnection(
    {
      kubeconfigPath,
      apiRoot: undefined,
      token: undefined,
      clientCertificatePath: undefined,
      clientKeyPath: undefined,
      certificateAuthorityPath: undefined,
      datastoreType: undefined,
    },
    {},
  );
  using cluster = openCluster({ connect: () => connection, budgets: PATIENT_BUDGETS, log: { debug: () => undefined } });
  const readPod = (): Promise<Pod | 'absent'> => cluster.readPod(reference, startDeadline(20_000));
  const pod = await readPod();
  const name = `${reference.namespace}/${reference.name}`;
  if (pod === 'absent') throw new Error(`${connection.server.text} has no pod ${name}`);
  refuseInUse(pod, chosen);
  const podCidrNodeName = askedNode ?? pod.nodeName;
  if (podCidrNodeName === undefined) throw new Error(`pod ${name} is on no node yet: name one with --node`);
  const node = await cluster.readNode(podCidrNodeName, startDeadline(20_000));
  if (node === 'absent') throw new Error(`${connection.server.text} has no node ${podCidrNodeName}`);
  if (node.podCidrs.length === 0) {
    throw new Error(`node ${podCidrNodeName} has no podCIDR (spec.podCIDRs), from which the pod's addresses are taken`);
  }
  const before = pick(pod);
  return {
    connection,
    orders: {
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
      using later = openCluster({
        connect: () => connection,
        budgets: PATIENT_BUDGETS,
        log: { debug: () => undefined },
      });
      const now = await later.readPod(reference, startDeadline(20_000));
      if (now === 'absent' || now.uid !== pod.uid) return 0;
      const present = pick(now);
      const changed = ENDPOINT_KEYS.filter((key) => present[key] !== before[key]);
      if (changed.length === 0) return 0;
      const annotations = Object.fromEntries(changed.map((key) => [key, before[key] ?? null]));
      await patchAnnotations(connection, reference, { uid: pod.uid, annotations });
      return changed.length;
    },
  };
}

function refuseInUse({ annotations, hostNetwork }: Pod, { pod, mayOverwrite }: ClusterArguments): void {
  if (mayOverwrite) return;
  const name = `${pod.namespace}/${pod.name}`;
  const anyway = 'choose another pod, or say --yes-overwrite';
  const podIp = annotations[`${PREFIX}podIP`] ?? '';
  if (podIp !== '') {
    throw new Error(
      `pod ${name} has an endpoint already (${PREFIX}podIP is ${podIp}), which the demo would overwrite: ${anyway}`,
    );
  }
  if (hostNetwork)
    throw new Error(`pod ${name} uses its node's network (hostNetwork) and has no endpoint of its own: ${anyway}`);
}

function pick({ annotations }: Pod): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(ENDPOINT_KEYS.map((key) => [key, annotations[key]]));
}

// All inline: what the plugin reads in the namespace is a copy, whose server is the relay's address. The name that the server's
// certificate must have stays the original's.
function kubeconfigParts({
  server,
  tls,
  token,
}: ApiConnection): Pick<ClusterOrders, 'kubeconfigCluster' | 'kubeconfigUser'> {
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

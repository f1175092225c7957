import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../src/json/json.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { answersOk, makeServerProcesses, type ServerProcesses } from '../lab/api-server/server-process.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { until } from '../lab/until.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { applyManifest } from '../support/servers/manifest.ts';

/** The Service of the cluster DNS. */
export const CLUSTER_DNS = '10.96.0.10';
/** The node's address, from scripts/in-private-namespace.sh. */
export const NODE_ADDRESS = '192.0.2.10';
const DNS_HEALTH_PORT = 8181;

/** What a cluster has beside the API server and the kubelet: controllers, scheduler, Services, and names for them. */
export async function startControlPlane(cluster: Cluster): Promise<ServerProcesses> {
  const tools = await ensureTools(['kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coredns']);
  await using started = new AsyncDisposableStack();
  const processes = started.use(await makeServerProcesses('podwire-control-'));
  const file = async (name: string, text: string) => {
    const path = join(processes.folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const administrator = { commonName: 'control-plane', organizations: ['system:masters'] };
  const kubeconfig = await file('kubeconfig', JSON.stringify(cluster.kubeconfigWithClientCertificate(administrator)));
  const authority = await file('ca.crt', cluster.certificateAuthorityPem);
  const connection = [`--kubeconfig=${kubeconfig}`];
  await processes.start('kube-controller-manager', tools['kube-controller-manager'], [
    ...connection,
    `--root-ca-file=${authority}`,
    // podwire's pod has been created without its controller, which would create another one.
    '--controllers=*,-daemonset-controller',
    '--leader-elect=false',
    '--allocate-node-cidrs=false',
    '--secure-port=0',
  ]);
  await processes.start('kube-scheduler', tools['kube-scheduler'], [
    ...connection,
    '--leader-elect=false',
    '--secure-port=0',
  ]);
  await processes.start('kube-proxy', tools['kube-proxy'], [
    ...connection,
    `--hostname-override=${NODE}`,
    '--proxy-mode=nftables',
    // Settings of the whole machine.
    ...['max-per-core', 'tcp-timeout-established', 'tcp-timeout-close-wait'].map((name) => `--conntrack-${name}=0`),
  ]);
  const corefile = await file('Corefile', formatCorefile(kubeconfig));
  await processes.start('coredns', tools.coredns, ['-conf', corefile]);
  await applyManifest(cluster.admin, DNS_OBJECTS, 'keep');
  await until('the cluster DNS is ready', () => answersOk(`http://127.0.0.1:${DNS_HEALTH_PORT}/ready`), {
    deadlineMs: 60_000,
    failure: processes.failure,
    explain: () => processes.readLogs(),
  });
  await until('kube-proxy has written its rules', async () =>
    (await hostNamespace().exec('nft', 'list', 'tables')).includes('kube-proxy'),
  );
  started.move();
  return processes;
}

function formatCorefile(kubeconfig: string): string {
  return `.:53 {
  bind ${NODE_ADDRESS}
  errors
  ready 127.0.0.1:${DNS_HEALTH_PORT}
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
  }
}
`;
}

const namespace = 'kube-system';
const PORTS = [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
] as const;
const DNS_OBJECTS: readonly JsonObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kube-dns', namespace, labels: { 'k8s-app': 'kube-dns' } },
    spec: { clusterIP: CLUSTER_DNS, ports: PORTS },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kube-dns-node', namespace, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4',
    ports: PORTS,
    endpoints: [{ addresses: [NODE_ADDRESS], conditions: { ready: true } }],
  },
];

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import type { Kubeconfig } from '../../lab/api-server/kubeconfig.ts';
import {
  makeServerProcesses,
  startRestartable,
  type RestartableServers,
  answersOk,
} from '../../lab/api-server/server-process.ts';
import { until } from '../../lab/until.ts';

/** The kubelet of a node. */
export type NodeKubelet = RestartableServers;

export interface KubeletSettings {
  /** A separate folder, for its configuration. */
  readonly folder: string;
  readonly endpoint: string;
  readonly nodeName: string;
  readonly nodeAddresses: readonly string[];
  readonly kubeconfig: Kubeconfig;
  /** The address of the cluster DNS. */
  readonly clusterDns?: string | undefined;
}

const HEALTH_PORT = 10248;

export async function startNodeKubelet(settings: KubeletSettings): Promise<NodeKubelet> {
  const { folder, nodeName, nodeAddresses } = settings;
  const { kubelet } = await ensureTools(['kubelet']);
  const configPath = join(folder, 'kubelet.json');
  const kubeconfigPath = join(folder, 'kubelet.kubeconfig');
  await writeFile(configPath, JSON.stringify(kubeletConfiguration(settings)));
  await writeFile(kubeconfigPath, JSON.stringify(settings.kubeconfig), { mode: 0o600 });
  return startRestartable(async () => {
    const processes = await makeServerProcesses('podwire-kubelet-');
    await processes.start('kubelet', kubelet, [
      `--config=${configPath}`,
      `--kubeconfig=${kubeconfigPath}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${nodeAddresses.join(',')}`,
      '--cert-dir=/var/lib/kubelet/pki',
      '--v=2',
    ]);
    await until('the kubelet is healthy', () => answersOk(`http://127.0.0.1:${HEALTH_PORT}/healthz`), {
      deadlineMs: 60_000,
      failure: processes.failure,
      explain: () => processes.readLogs(),
    });
    return processes;
  });
}

function kubeletConfiguration({ endpoint, clusterDns }: KubeletSettings): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Machines with cgroup v1 and without CAP_SYS_RESOURCE can be nodes, too.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    oomScoreAdj: 0,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    evictionHard: { 'memory.available': '0%', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    containerRuntimeEndpoint: endpoint,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    // The API server connects to the node's address for logs and exec.
    address: '0.0.0.0',
    ...(clusterDns !== undefined && { clusterDNS: [clusterDns], clusterDomain: 'cluster.local' }),
    healthzPort: HEALTH_PORT,
    volumePluginDir: '/var/lib/kubelet/volumeplugins',
    podLogsDir: '/var/log/pods',
    resolvConf: '',
    nodeStatusUpdateFrequency: '2s',
    // The default limits protect an API server with many nodes; here it has one.
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
  };
}

import { roleOf, serviceAccount } from '../support/servers/manifest.ts';
import type { JsonObject } from '../../src/json/json.ts';

/** What differs between the manifests of Calico's releases, as far as the DaemonSet's init containers are concerned. */
export interface CalicoRelease {
  readonly version: string;
  readonly upgradeIpam: Call;
  readonly installCni: Call;
  readonly ebpfBootstrap: Call;
}

/** How a container is started. Without a command the entry point of its image runs. */
interface Call {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

/** Until 3.32 Calico has an image for each program; since 3.33 a single executable, which is the entry point of its image. */
export const CALICO_RELEASES: readonly CalicoRelease[] = [
  separateImages('3.31', '3.31.7'),
  separateImages('3.32', '3.32.1'),
  {
    version: '3.33',
    upgradeIpam: { image: 'quay.io/calico/calico:v3.33.0', command: ['/usr/bin/calico-ipam', '-upgrade'] },
    installCni: { image: 'quay.io/calico/calico:v3.33.0', args: ['component', 'cni', 'install'] },
    ebpfBootstrap: {
      image: 'quay.io/calico/node:v3.33.0',
      command: ['calico', 'component', 'node', 'init', '--best-effort'],
    },
  },
];

function separateImages(version: string, tag: string): CalicoRelease {
  return {
    version,
    upgradeIpam: { image: `quay.io/calico/cni:v${tag}`, command: ['/opt/cni/bin/calico-ipam', '-upgrade'] },
    installCni: { image: `quay.io/calico/cni:v${tag}`, command: ['/opt/cni/bin/install'] },
    ebpfBootstrap: { image: `quay.io/calico/node:v${tag}`, command: ['calico-node', '-init', '-best-effort'] },
  };
}

const namespace = 'kube-system';
const META = { name: 'calico-node', namespace };
const LABELS = { 'k8s-app': 'calico-node' };

/** The ConfigMap of Calico's manifests. Only `ipam` is another one: podwire needs host-local. */
const CALICO_CONFIG: JsonObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'calico-config', namespace },
  data: {
    typha_service_name: 'none',
    calico_backend: 'bird',
    veth_mtu: '0',
    cni_network_config: `{
  "name": "k8s-pod-network",
  "cniVersion": "1.0.0",
  "plugins": [
    {
      "type": "calico",
      "log_level": "info",
      "log_file_path": "/var/log/calico/cni/cni.log",
      "datastore_type": "kubernetes",
      "nodename": "__KUBERNETES_NODE_NAME__",
      "mtu": __CNI_MTU__,
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "usePodCidr"}], [{"subnet": "usePodCidrIPv6"}]]},
      "policy": {"type": "k8s"},
      "kubernetes": {"kubeconfig": "__KUBECONFIG_FILEPATH__"}
    },
    {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}
  ]
}`,
  },
};

/** Accounts and configuration of Calico, with the rules of its roles that concern its plugin. */
export const CALICO_OBJECTS: readonly JsonObject[] = [
  serviceAccount('calico-node'),
  serviceAccount('calico-cni-plugin'),
  ...roleOf('calico-node', [
    { apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['calico-cni-plugin'], verbs: ['create'] },
    { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces'], verbs: ['get'] },
  ]),
  ...roleOf('calico-cni-plugin', [
    { apiGroups: [''], resources: ['pods', 'nodes', 'namespaces'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  ]),
  CALICO_CONFIG,
];

/** The DaemonSet calico-node of a release, with the containers that run before the agent and without the agent's own settings. */
export function calicoDaemonSet({ upgradeIpam, installCni, ebpfBootstrap }: CalicoRelease): JsonObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { ...META, labels: LABELS },
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          hostNetwork: true,
          tolerations: [{ operator: 'Exists' }],
          serviceAccountName: 'calico-node',
          terminationGracePeriodSeconds: 0,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          initContainers: [
            {
              name: 'upgrade-ipam',
              ...container(upgradeIpam),
              env: [NODE_NAME, fromConfig('CALICO_NETWORKING_BACKEND', 'calico_backend')],
              volumeMounts: [mount('host-local-net-dir', '/var/lib/cni/networks'), mount('cni-bin-dir', HOST_BIN)],
            },
            {
              name: 'install-cni',
              ...container(installCni),
              env: [
                { name: 'CNI_CONF_NAME', value: '10-calico.conflist' },
                fromConfig('CNI_NETWORK_CONFIG', 'cni_network_config'),
                NODE_NAME,
                fromConfig('CNI_MTU', 'veth_mtu'),
                { name: 'SLEEP', value: 'false' },
              ],
              volumeMounts: [mount('cni-bin-dir', HOST_BIN), mount('cni-net-dir', '/host/etc/cni/net.d')],
            },
            { name: 'ebpf-bootstrap', ...container(ebpfBootstrap), volumeMounts: [mount('nodeproc', '/nodeproc')] },
          ],
          containers: [{ name: 'calico-node', image: ebpfBootstrap.image, securityContext: { privileged: true } }],
          volumes: [
            folder('cni-bin-dir', '/opt/cni/bin'),
            folder('cni-net-dir', '/etc/cni/net.d'),
            folder('host-local-net-dir', '/var/lib/cni/networks'),
            { name: 'nodeproc', hostPath: { path: '/proc' } },
          ],
        },
      },
    },
  };
}

const HOST_BIN = '/host/opt/cni/bin';
const NODE_NAME = { name: 'KUBERNETES_NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } };
const mount = (name: string, mountPath: string) => ({ name, mountPath });
const folder = (name: string, path: string) => ({ name, hostPath: { path, type: 'DirectoryOrCreate' } });
const fromConfig = (name: string, key: string) => ({
  name,
  valueFrom: { configMapKeyRef: { name: 'calico-config', key } },
});

function container({ image, command, args }: Call): JsonObject {
  return {
    image,
    securityContext: { privileged: true },
    ...(command !== undefined && { command }),
    ...(args !== undefined && { args }),
  };
}

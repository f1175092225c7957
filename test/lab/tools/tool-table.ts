interface Tool {
  /** The folder below test/tools whose go.mod pins the module, or is its own. */
  readonly module:
    | '.'
    | 'cilium'
    | 'clients'
    | 'conformance'
    | 'containerd'
    | 'coredns'
    | 'host-local-1.1.1'
    | 'kubectl'
    | 'kubelet'
    | 'kustomize'
    | 'prometheus'
    | 'multus'
    | 'tls-verdict';
  /** The Go package that is the program. */
  readonly package: string;
  /** The file's name. A delegate is found by its name, whatever its version is. */
  readonly fileName: string;
  /** Where an installed copy may exist. Without one the tool is built. */
  readonly installed: 'envtest' | 'plugin' | 'never';
  readonly linkerFlags?: string;
  /** Whether the package has no program but tests, which become one. */
  readonly isTest?: true;
  /** Whether only `npm run conformance` needs it. */
  readonly isOnDemand?: true;
}

const CONTAINERD = 'github.com/containerd/containerd/v2/cmd';
const PLUGINS = 'github.com/containernetworking/plugins/plugins';

/** Kubernetes that is built without its own scripts reports v0.0.0-master. This must be the version in go.mod. */
const KUBERNETES_VERSION = '-X k8s.io/component-base/version.gitVersion=v1.36.3';

/** Every real program that tests run against. To add one: a `tool` line in go.mod and a row here. */
export const TOOLS = {
  'tls-verdict': row('tls-verdict', '.', 'tls-verdict', 'never'),
  cnitool: row('.', 'github.com/containernetworking/cni/cnitool', 'cnitool', 'never'),
  'host-local': row('.', `${PLUGINS}/ipam/host-local`, 'host-local', 'plugin'),
  'host-local-1.1.1': row('host-local-1.1.1', `${PLUGINS}/ipam/host-local`, 'host-local', 'never'),
  bridge: row('.', `${PLUGINS}/main/bridge`, 'bridge', 'plugin'),
  loopback: row('.', `${PLUGINS}/main/loopback`, 'loopback', 'plugin'),
  ptp: row('.', `${PLUGINS}/main/ptp`, 'ptp', 'plugin'),
  bandwidth: row('.', `${PLUGINS}/meta/bandwidth`, 'bandwidth', 'plugin'),
  firewall: row('.', `${PLUGINS}/meta/firewall`, 'firewall', 'plugin'),
  portmap: row('.', `${PLUGINS}/meta/portmap`, 'portmap', 'plugin'),
  tuning: row('.', `${PLUGINS}/meta/tuning`, 'tuning', 'plugin'),
  kustomize: row('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5', 'kustomize', 'never'),
  promtool: row('prometheus', 'github.com/prometheus/prometheus/cmd/promtool', 'promtool', 'never'),
  prometheus: row('prometheus', 'github.com/prometheus/prometheus/cmd/prometheus', 'prometheus', 'never'),
  etcd: row('.', 'go.etcd.io/etcd/server/v3', 'etcd', 'envtest'),
  'kube-apiserver': {
    ...row('.', 'k8s.io/kubernetes/cmd/kube-apiserver', 'kube-apiserver', 'envtest'),
    linkerFlags: KUBERNETES_VERSION,
  },
  'kube-scheduler': {
    ...row('kubectl', 'k8s.io/kubernetes/cmd/kube-scheduler', 'kube-scheduler', 'never'),
    linkerFlags: KUBERNETES_VERSION,
  },
  kubectl: { ...row('kubectl', 'k8s.io/kubernetes/cmd/kubectl', 'kubectl', 'never'), linkerFlags: KUBERNETES_VERSION },
  kubelet: { ...row('kubelet', 'k8s.io/kubernetes/cmd/kubelet', 'kubelet', 'never'), linkerFlags: KUBERNETES_VERSION },
  containerd: row('containerd', `${CONTAINERD}/containerd`, 'containerd', 'never'),
  'containerd-shim-runc-v2': row(
    'containerd',
    `${CONTAINERD}/containerd-shim-runc-v2`,
    'containerd-shim-runc-v2',
    'never',
  ),
  ctr: row('containerd', `${CONTAINERD}/ctr`, 'ctr', 'never'),
  helm: row('clients', 'helm.sh/helm/v4/cmd/helm', 'helm', 'never'),
  actionlint: row('clients', 'github.com/rhysd/actionlint/cmd/actionlint', 'actionlint', 'never'),
  multus: row('multus', 'gopkg.in/k8snetworkplumbingwg/multus-cni.v4/cmd/multus', 'multus', 'never'),
  'cilium-cni': row('cilium', 'github.com/cilium/cilium/plugins/cilium-cni', 'cilium-cni', 'never'),
  'cilium-agent': row('cilium', 'github.com/cilium/cilium/daemon', 'cilium-agent', 'never'),
  'kube-controller-manager': conformance('cmd/kube-controller-manager', 'kube-controller-manager'),
  'kube-proxy': conformance('cmd/kube-proxy', 'kube-proxy'),
  agnhost: conformance('test/images/agnhost', 'agnhost'),
  'e2e.test': { ...conformance('test/e2e', 'e2e.test'), isTest: true },
  coredns: { ...row('coredns', 'github.com/coredns/coredns', 'coredns', 'never'), isOnDemand: true },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(TOOLS, name);
}

/** The name of every tool, in the order of the table: tools that build quickly come first. */
export function toolNames(): readonly ToolName[] {
  return Object.keys(TOOLS).filter(isToolName);
}

/** The tools that `npm test` needs. */
export function toolNamesOfTests(): readonly ToolName[] {
  return toolNames().filter((name) => toolNamed(name).isOnDemand !== true);
}

export function toolNamed(name: ToolName): Tool {
  return TOOLS[name];
}

function conformance(goPackage: string, fileName: string): Tool {
  const tool = row('conformance', `k8s.io/kubernetes/${goPackage}`, fileName, 'never');
  return { ...tool, linkerFlags: KUBERNETES_VERSION, isOnDemand: true };
}

function row(module: Tool['module'], goPackage: string, fileName: string, installed: Tool['installed']): Tool {
  return { module, package: goPackage, fileName, installed };
}

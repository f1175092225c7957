import type { ToolName } from '../../test/lab/tools/tool-table.ts';

/** How a program reports its version: the module that it was built from, or what it prints. */
export type VersionSource =
  | { readonly kind: 'module'; readonly tool: ToolName; readonly module: string }
  | { readonly kind: 'command'; readonly command: readonly [string, ...string[]]; readonly pattern: RegExp };

/** A program of another project that tests run podwire with. */
export interface Partner {
  readonly what: string;
  readonly version: VersionSource;
  /** The test file whose tests run it; `specs`: the specs of Kubernetes. */
  readonly test: string;
}

const PLUGINS = 'github.com/containernetworking/plugins';
const fromModule = (tool: ToolName, module: string): VersionSource => ({ kind: 'module', tool, module });
const kubernetes = (tool: ToolName): VersionSource => fromModule(tool, 'k8s.io/kubernetes');

/** Every program whose version matters to users, with one test file that runs it. */
export const PARTNERS: readonly Partner[] = [
  { what: 'kube-apiserver', version: kubernetes('kube-apiserver'), test: 'test/end-to-end/cnitool.test.ts' },
  { what: 'kubelet', version: kubernetes('kubelet'), test: 'test/node/pods.test.ts' },
  { what: 'kube-proxy, in mode nftables', version: kubernetes('kube-proxy'), test: 'specs' },
  {
    what: 'containerd',
    version: fromModule('containerd', 'github.com/containerd/containerd/v2'),
    test: 'test/node/pods.test.ts',
  },
  {
    what: 'runc',
    version: { kind: 'command', command: ['runc', '--version'], pattern: /version (\S+)/ },
    test: 'test/node/pods.test.ts',
  },
  {
    what: 'libcni',
    version: fromModule('cnitool', 'github.com/containernetworking/cni'),
    test: 'test/end-to-end/cnitool.test.ts',
  },
  {
    what: 'plugins of the CNI project, as in the image',
    version: fromModule('host-local', PLUGINS),
    test: 'test/node/pods.test.ts',
  },
  {
    what: 'host-local, the oldest that is tested',
    version: fromModule('host-local-1.1.1', PLUGINS),
    test: 'test/end-to-end/versions.test.ts',
  },
  {
    what: 'Cilium, agent and plugin, chained',
    version: fromModule('cilium-agent', 'github.com/cilium/cilium'),
    test: 'test/node/policy.test.ts',
  },
  {
    what: 'Multus, thin plugin',
    version: fromModule('multus', 'gopkg.in/k8snetworkplumbingwg/multus-cni.v4'),
    test: 'test/end-to-end/multus.test.ts',
  },
  {
    what: 'CoreDNS',
    version: fromModule('coredns', 'github.com/coredns/coredns'),
    test: 'specs',
  },
  {
    what: 'BIRD',
    version: { kind: 'command', command: ['bird', '--version'], pattern: /version (\S+)/ },
    test: 'test/end-to-end/two-nodes.test.ts',
  },
  {
    what: 'Linux',
    version: { kind: 'command', command: ['uname', '-r'], pattern: /^(\d+\.\d+)/ },
    test: 'test/node/pods.test.ts',
  },
];

/** The test files of the table. */
export function partnerTests(): readonly string[] {
  return [...new Set(PARTNERS.map(({ test }) => test).filter((test) => test !== 'specs')), CALICO_TEST];
}

/** The test that runs the init containers of Calico's releases. */
export const CALICO_TEST = 'test/node/calico.test.ts';

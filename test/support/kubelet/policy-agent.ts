import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findCiliumSources } from '../../lab/tools/cilium-sources.ts';
import { debianProgram } from '../../lab/tools/debian-program.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { applyManifest, parseManifest } from '../servers/manifest.ts';
import { NODE } from '../installer/install-cluster.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import type { KubeletNode } from './kubelet-node.ts';
import { assertPrivateNamespace } from '../../lab/namespaces/private-namespace.ts';
import {
  makeServerProcesses,
  startRestartable,
  type RestartableServers,
  answersOk,
} from '../../lab/api-server/server-process.ts';
import { until } from '../../lab/until.ts';

const run = promisify(execFile);

/**
 * The file system where the agent pins its BPF programs, which stay attached to the pods' interfaces while the agent
 * does not run.
 */
const BPF_FOLDER = '/sys/fs/bpf';
const PLUGINS = '/opt/cni/bin';
const SOURCES = '/var/lib/cilium';
const STATE = '/run/cilium';
const KUBECONFIG = join(STATE, 'kubeconfig');
/** The agent disables this setting. */
const REVERSE_PATH_FILTER = 'net.ipv4.conf.all.rp_filter';
const HEALTH_PORT = 9879;

/**
 * Cilium's agent on a node, and its CNI plugin in `/opt/cni/bin`, set up as docs/install.md says for chaining: the kernel
 * enforces each pod's NetworkPolicies on the interface that podwire has made.
 *
 * Settings of the whole machine, which the agent would change for good, are read-only for it; where the kernel has modules, it loads those of
 * iptables, and they stay.
 */
export async function startNodePolicyAgent({ cluster }: KubeletNode): Promise<RestartableServers> {
  assertPrivateNamespace();
  await using started = new AsyncDisposableStack();
  const tools = await ensureTools(['cilium-agent', 'cilium-cni']);
  const sources = await findCiliumSources();
  await applyCustomResources(cluster, sources);
  const host = hostNamespace();
  const reversePath = await host.exec('sysctl', '-e', REVERSE_PATH_FILTER);
  started.defer(async () => {
    await removeTraces();
    await host.exec('sysctl', '-q', reversePath.replaceAll(/\s/g, ''));
  });
  await mkdir(STATE, { recursive: true });
  await cp(join(sources, 'bpf'), join(SOURCES, 'bpf'), { recursive: true });
  await mkdir(PLUGINS, { recursive: true });
  await copyFile(tools['cilium-cni'], join(PLUGINS, 'cilium-cni'));
  await writeFile(KUBECONFIG, JSON.stringify(cluster.kubeconfigWithClientCertificate(ADMINISTRATOR)), { mode: 0o600 });
  await run('mount', ['-t', 'bpf', 'podwire-node', BPF_FOLDER]);
  started.defer(async () => {
    await run('umount', ['--lazy', BPF_FOLDER]);
  });
  const compilers = await Promise.all([debianProgram('clang'), debianProgram('bpftool')]);
  const folders = [...compilers.map((path) => dirname(path)), process.env['PATH']];
  const environment = [`PATH=${folders.join(delimiter)}`, `K8S_NODE_NAME=${NODE}`];
  const servers = await startRestartable(async () => {
    const processes = await makeServerProcesses('podwire-cilium-');
    const command = ['sh', '-c', ON_OWN_PROC, 'sh', 'env', ...environment, tools['cilium-agent'], ...SETTINGS];
    await processes.start('cilium-agent', 'unshare', ['--mount', ...command]);
    await until('the agent is healthy', () => answersOk(`http://127.0.0.1:${HEALTH_PORT}/healthz`), {
      deadlineMs: 60_000,
      failure: processes.failure,
      explain: () => processes.readLogs(),
    });
    return processes;
  });
  started.use(servers);
  const running = started.move();
  return { ...servers, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const ADMINISTRATOR = { commonName: 'cilium', organizations: ['system:masters'] };

const SETTINGS = [
  `--k8s-kubeconfig-path=${KUBECONFIG}`,
  '--cni-chaining-mode=generic-veth',
  '--routing-mode=native',
  '--enable-endpoint-routes=true',
  '--enable-ipv4-masquerade=false',
  '--enable-ipv6-masquerade=false',
  // Otherwise the agent takes addresses from the podCIDR, which host-local can assign to pods. The one for IPv6 is
  // the address of all of podwire's host interfaces: the agent drops neighbor solicitations for other routers.
  '--ipam=kubernetes',
  '--local-router-ipv4=169.254.23.1',
  '--local-router-ipv6=fe80::ecee:eeff:feee:eeee',
  '--enable-health-checking=false',
  '--enable-l7-proxy=false',
  '--kube-proxy-replacement=false',
  '--identity-allocation-mode=crd',
];

// The agent sets the two settings of the whole machine, one of them until the next boot, and does without where it cannot.
// It reads the list of modules, which a kernel without modules has not: all that is named here is part of the kernel then.
const ON_OWN_PROC = `set -e
mkdir -p /run/podwire-proc
mount -t proc podwire-node /run/podwire-proc
for name in unprivileged_bpf_disabled timer_migration; do
  setting=/run/podwire-proc/sys/kernel/$name
  [ ! -e $setting ] || { mount --bind $setting $setting; mount -o remount,bind,ro $setting; }
done
modules=$(cat /proc/modules 2>/dev/null) || modules=$(for name in ip_tables iptable_nat iptable_mangle iptable_raw \\
  iptable_filter ip6_tables ip6table_mangle ip6table_raw ip6table_filter xt_socket; do echo "$name 0 0 - Live 0x0"; done)
mount -t tmpfs -o mode=0755 podwire-node /proc
for entry in /run/podwire-proc/*; do [ \${entry##*/} = modules ] || ln -s $entry /proc/; done
printf '%s\\n' "$modules" >/proc/modules
exec "$@"
`;

/** Removes what the agent leaves in the network namespace and the folders, which later tests use too. */
async function removeTraces(): Promise<void> {
  const host = hostNamespace();
  await host.exec('ip', 'link', 'delete', 'cilium_host').catch(() => undefined); // the agent may not have created it
  for (const iptables of ['iptables', 'ip6tables']) {
    await host.exec('sh', '-c', `${iptables}-save | grep -v CILIUM_ | ${iptables}-restore`);
  }
  for (const folder of [STATE, SOURCES]) await rm(folder, { recursive: true, force: true });
}

async function applyCustomResources({ admin }: Cluster, sources: string): Promise<void> {
  for (const version of ['v2', 'v2alpha1']) {
    const folder = join(sources, 'pkg/k8s/apis/cilium.io/client/crds', version);
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.yaml'))) {
      const objects = parseManifest(await readFile(join(folder, file), 'utf8'));
      await applyManifest(admin, objects, 'keep');
    }
  }
}

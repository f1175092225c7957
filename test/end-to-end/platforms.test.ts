import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { member, memberText } from '../lab/member.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { formatCniArgs, type RuntimePod } from '../lab/runtime-call.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallNode } from '../support/installer/install-node.ts';
import { applyManifest, parseManifest, readManifest } from '../support/servers/manifest.ts';

// For each platform with other folders than usual: the containers of the rendered DaemonSets run on a root file system that has only
// this platform's folders, mounted as the kubelet mounts them, and libcni (cnitool) makes the calls of the platform's runtime.

const REPOSITORY = join(import.meta.dirname, '../..');
const NETWORK = 'k8s-pod-network';

interface Platform {
  readonly name: string;
  readonly programs: string;
  readonly configs: string;
  readonly config: string;
  /** A configuration that was there before, and that the installer removes. */
  readonly removed?: string;
  /** One that stays, and that must not come first. */
  readonly kept?: string;
}

const NET_D = '/etc/cni/net.d';
const OPT = '/opt/cni/bin';
const CONFIG = '10-podwire.conflist';
const PLATFORMS: readonly Platform[] = [
  {
    name: 'k3s',
    programs: '/var/lib/rancher/k3s/data/cni',
    configs: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
    config: CONFIG,
  },
  {
    name: 'microk8s',
    programs: '/var/snap/microk8s/current/opt/cni/bin',
    configs: '/var/snap/microk8s/current/args/cni-network',
    config: CONFIG,
    removed: '10-calico.conflist',
  },
  { name: 'minikube', programs: OPT, configs: NET_D, config: CONFIG, removed: '1-k8s.conflist' },
  { name: 'crio', programs: '/usr/libexec/cni', configs: NET_D, config: CONFIG, kept: '100-crio-bridge.conflist' },
  { name: 'openshift', programs: '/var/lib/cni/bin', configs: '/var/run/multus/cni/net.d', config: CONFIG },
  {
    name: 'gke',
    programs: '/home/kubernetes/bin',
    configs: NET_D,
    config: '06-podwire.conflist',
    kept: '10-gke-ptp.conflist',
  },
  { name: 'eks', programs: OPT, configs: NET_D, config: CONFIG, removed: '10-aws.conflist' },
];

let cluster: Cluster;
let account: AccountFolder;
let image: InstallNode;
let cnitool: string;
let work: string;
beforeAll(async () => {
  ({ cnitool } = await ensureTools(['cnitool']));
  cluster = await startInstallCluster();
  account = makeAccountFolder(await installerAccount(cluster));
  image = await makeInstallNode(cluster.server, NODE);
  work = await mkdtemp('/run/podwire-platforms-');
});
afterAll(async () => {
  await rm(work, { recursive: true, force: true });
  await image[Symbol.asyncDispose]();
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

/** Builds a folder of cni-conf with the component of a platform, and returns its DaemonSet and its template. */
async function render(folder: string, platform: string) {
  const target = await mkdtemp(join(work, 'overlay-'));
  const conf = relative(target, join(REPOSITORY, 'cni-conf'));
  const text = `resources: [${conf}/${folder}]\ncomponents: [${conf}/components/${platform}]\n`;
  await writeFile(join(target, 'kustomization.yaml'), text);
  const objects = parseManifest(await kustomize(target));
  const template = objects.find(({ kind }) => kind === 'ConfigMap')?.['data'];
  return {
    objects,
    spec: member(
      objects.find(({ kind }) => kind === 'DaemonSet'),
      'spec',
      'template',
      'spec',
    ),
    template: isJsonObject(template ?? null) ? memberText(template, CONFIG) : '',
  };
}

/** The root file system of a node: that of this machine, whose changes are kept aside. */
interface NodeRoot {
  /** Runs a script on the node; its arguments are `$1` and so on. */
  run(script: string, ...args: readonly string[]): Promise<string>;
}

async function makeNodeRoot(): Promise<NodeRoot> {
  const folder = await mkdtemp(join(work, 'node-'));
  for (const name of ['changes', 'work', 'root']) await mkdir(join(folder, name));
  const enter = `cd ${folder}
    mount -t overlay overlay -o lowerdir=/,upperdir=changes,workdir=work root
    for part in /opt /var/lib /etc/cni; do mkdir -p fresh$part root$part; mount --bind fresh$part root$part; done
    for part in /proc /sys /dev /run /tmp ${REPOSITORY}; do mkdir -p root$part; mount --rbind $part root$part; done
    exec chroot root sh -ec "$@"`;
  return {
    async run(script, ...args) {
      const words = ['--mount', 'sh', '-ec', enter, 'sh', script, 'sh', ...args];
      const { stdout, stderr } = await promisify(execFile)('unshare', words);
      return `${stdout}${stderr}`;
    },
  };
}

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : []);

/** Runs the first init container of a pod, with its variables and its mounts of the node's folders. */
async function runContainer(node: NodeRoot, spec: unknown, template: string): Promise<string> {
  const [container] = listOf(member(spec, 'initContainers'));
  const volumes = new Map(
    listOf(member(spec, 'volumes')).map((volume) => [volume['name'], member(volume, 'hostPath', 'path')]),
  );
  const mounts = listOf(container?.['volumeMounts']).flatMap((mount) => {
    const path = volumes.get(mount['name']);
    return typeof path === 'string' ? [`${path} ${memberText(mount, 'mountPath')}`] : [];
  });
  const { hostname, port } = new URL(cluster.server);
  const variables = listOf(container?.['env']).flatMap((entry) =>
    typeof entry['value'] === 'string' ? [`${memberText(entry, 'name')}=${entry['value']}`] : [],
  );
  const script = `printf %s "$1" >/template
    echo "$2" | while read -r path mount; do mkdir -p $path $mount; mount --bind $path $mount; done
    shift 2; exec env -i "$@"`;
  const command: unknown = member(container, 'command');
  const [, ...args] = Array.isArray(command) ? command.map(String) : [];
  return node.run(
    script,
    template,
    mounts.join('\n'),
    ...variables,
    `KUBERNETES_SERVICE_HOST=${hostname}`,
    `KUBERNETES_SERVICE_PORT=${port}`,
    `KUBERNETES_NODE_NAME=${NODE}`,
    'CNI_NETWORK_CONFIG_FILE=/template',
    join(image.image, 'podwire'),
    ...args,
  );
}

/** The calls of libcni for a pod, with the folders of the runtime. */
function callsOf(
  node: NodeRoot,
  pod: RuntimePod,
  sandboxPath: string,
  folders: Pick<Platform, 'programs' | 'configs'>,
) {
  return (verb: string) =>
    node.run(
      'exec env -i "$@"',
      `PATH=${process.env['PATH']}`,
      `NETCONFPATH=${folders.configs}`,
      `CNI_PATH=${folders.programs}`,
      `CNI_ARGS=${formatCniArgs(pod, 'c1')}`,
      cnitool,
      verb,
      NETWORK,
      sandboxPath,
    );
}

describe.each(PLATFORMS)('$name', ({ name, programs, configs, config, removed, kept }) => {
  let node: NodeRoot;
  const files = async (folder: string) => (await node.run('ls -A "$1"', folder)).split('\n').filter(Boolean);
  beforeAll(async () => {
    node = await makeNodeRoot();
    for (const other of [removed, kept])
      if (other !== undefined)
        await node.run('mkdir -p "$1"; echo "{\\"type\\":\\"other\\"}" >"$1/$2"', configs, other);
    const { spec, template } = await render('overlays/podcidr-routes', name);
    await runContainer(node, spec, template);
  });

  it('the installer writes into the folders of the platform', async () => {
    expect(await files(programs)).toEqual(expect.arrayContaining(['podwire', '.podwire', 'host-local', 'portmap']));
    expect((await files(configs)).toSorted()).toEqual(
      [config, 'podwire-kubeconfig', ...(kept === undefined ? [] : [kept])].toSorted(),
    );
    const list = parseJsonObject(await node.run('cat "$1"', join(configs, config)));
    expect(JSON.stringify(list)).toContain(`"kubeconfig":"${configs}/podwire-kubeconfig"`);
    expect(list).toMatchObject({ cniVersion: '1.1.0', name: NETWORK });
  });

  it('its configuration is the first by name, which runtimes use', async () =>
    expect((await files(configs)).filter((file) => /\.(conflist|conf|json)$/.test(file)).toSorted()[0]).toBe(config));

  it('the runtime attaches, checks and detaches a pod by libcni, and calls STATUS and GC', async () => {
    await using sandbox = await makeSandbox();
    const pod = { namespace: 'default', name: `web-${name}` };
    const { uid } = await cluster.createPod(pod.namespace, pod.name, { nodeName: NODE });
    const call = callsOf(node, { ...pod, uid }, sandbox.path, { programs, configs });
    await call('status');
    const [ipv4] = addressesIn(parseJsonObject(await call('add')));
    expect(ipv4).toMatch(/^10\.71\.0\.\d+$/);
    await call('check');
    await call('del');
    await call('gc');
    expect(await files('/var/lib/cni/networks/k8s-pod-network')).toEqual(['last_reserved_ip.0', 'lock']);
  });

  it('uninstall.yaml leaves none of its files there', async () => {
    const { spec } = await render('uninstall', name);
    await node.run('echo "{\\"type\\":\\"other\\"}" >"$1/99-other.conf"', configs);
    await runContainer(node, spec, '');
    const left = [...(await files(programs)), ...(await files(configs)), ...(await files('/var/lib'))];
    expect(left.filter((file) => file.includes('podwire'))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining(['host-local', '99-other.conf']));
  });
});

describe.each([
  ['dual-stack', '1.1.0', [/^10\.71\.0\./, /^fd71::/]],
  ['ipv6-only', '1.1.0', [/^fd71::/]],
  ['cni-1.0', '1.0.0', [/^10\.71\.0\./]],
])('the component %s on a node with the usual folders', (name, cniVersion, expected) => {
  it('gives a pod the addresses of its families, in the version of CNI that it sets', async () => {
    const node = await makeNodeRoot();
    const { spec, template } = await render('overlays/podcidr-routes', name);
    await runContainer(node, spec, template);
    await using sandbox = await makeSandbox();
    const pod = { namespace: 'default', name: `web-${name.replaceAll('.', '-')}` };
    const { uid } = await cluster.createPod(pod.namespace, pod.name, { nodeName: NODE });
    const call = callsOf(node, { ...pod, uid }, sandbox.path, { programs: OPT, configs: NET_D });
    const result = parseJsonObject(await call('add'));
    await call('del');
    expect(result).toMatchObject({ cniVersion });
    const addresses = addressesIn(result);
    expect(addresses.map((address, index) => expected[index]?.test(address))).toEqual(expected.map(() => true));
  });
});

describe('OpenShift', () => {
  it('the SecurityContextConstraints permit what the pods of podwire need, and no more', async () => {
    const { objects } = await render('overlays/podcidr-routes', 'openshift');
    const scc = objects.find(({ kind }) => kind === 'SecurityContextConstraints');
    expect(scc?.['users']).toEqual(
      ['podwire-installer', 'podwire-uninstall'].map((user) => `system:serviceaccount:kube-system:${user}`),
    );
    for (const folder of ['overlays/podcidr-routes', 'uninstall']) {
      const { spec } = await render(folder, 'openshift');
      expect(member(spec, 'hostNetwork')).toBe(scc?.['allowHostNetwork']);
      const kinds = listOf(member(spec, 'volumes')).flatMap((volume) =>
        Object.keys(volume).filter((key) => key !== 'name'),
      );
      expect(scc?.['volumes']).toEqual(expect.arrayContaining([...new Set(kinds)]));
      for (const container of [...listOf(member(spec, 'initContainers')), ...listOf(member(spec, 'containers'))])
        expect(container['securityContext']).toEqual({
          allowPrivilegeEscalation: scc?.['allowPrivilegeEscalation'],
          readOnlyRootFilesystem: scc?.['readOnlyRootFilesystem'],
          capabilities: { drop: scc?.['requiredDropCapabilities'] },
        });
    }
  });
});

describe('platforms whose folders are the usual ones', () => {
  // kubeadm, kind, RKE2 and AKS need no component. The kubelet of the node tests uses these folders.
  it('are what the overlays have without a component', async () => {
    const spec = member(
      readManifest('cni-conf/rendered/podcidr-routes.yaml').find(({ kind }) => kind === 'DaemonSet'),
      'spec',
      'template',
      'spec',
    );
    const paths = listOf(member(spec, 'volumes')).map((volume) => member(volume, 'hostPath', 'path'));
    expect(paths).toEqual(expect.arrayContaining([OPT, NET_D]));
    await expect(
      applyManifest(cluster.admin, readManifest('cni-conf/rendered/uninstall.yaml'), 'try'),
    ).resolves.toBeUndefined();
  });
});

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { member, memberText } from '../lab/member.ts';
import { until } from '../lab/until.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { claimsIn, tokenIn } from '../support/installer/install-node.ts';
import {
  applyDaemonSet,
  importPodwireImage,
  publishAuthority,
  serverEnvironment,
} from '../support/kubelet/daemon-set.ts';
import { type KubeletNode, startKubeletNode } from '../support/kubelet/kubelet-node.ts';
import { isReady, phaseOf } from '../support/kubelet/pods.ts';
import { BUSYBOX_IMAGE } from '../support/kubelet/runtime.ts';
import { applyManifest } from '../support/servers/manifest.ts';
import { CALICO_OBJECTS, CALICO_RELEASES, calicoDaemonSet, type CalicoRelease } from './calico-release.ts';

// In the DaemonSet of Calico's manifests only the image of install-cni is podwire's. Stand-ins replace the images of the other
// containers, which are Calico's programs.

const PODS = '/api/v1/namespaces/kube-system/pods';
const CONFIGS = '/etc/cni/net.d';
const KUBECONFIG = join(CONFIGS, 'calico-kubeconfig');

let node: KubeletNode;
let image: string;

beforeAll(async () => {
  node = await startKubeletNode();
  image = await importPodwireImage(node.runtime);
  await publishAuthority(node.cluster);
  await applyManifest(node.cluster.admin, CALICO_OBJECTS, 'keep');
});
afterAll(() => node[Symbol.asyncDispose]());

/** Creates the pod of the DaemonSet, as its controller would, and waits until its init containers have run. */
async function place(release: CalicoRelease, calicoNode: JsonObject = SLEEPING): Promise<Placed> {
  const { admin } = node.cluster;
  const daemonSet = calicoDaemonSet(release);
  await applyManifest(admin, [daemonSet], 'keep');
  const spec = member(daemonSet, 'spec', 'template', 'spec');
  const listed = (from: unknown, name: string): readonly JsonObject[] => {
    const items: unknown = member(from, name);
    return Array.isArray(items) ? items.filter(isJsonObject) : [];
  };
  const name = `calico-node-${release.version.replace('.', '-')}`;
  const own = (container: JsonObject, imageName: string, env: readonly JsonObject[] = []) => ({
    ...container,
    image: imageName,
    imagePullPolicy: 'Never',
    env: [...listed(container, 'env'), ...env],
  });
  const initContainers = listed(spec, 'initContainers').map((container) =>
    container['name'] === 'install-cni'
      ? own(container, image, serverEnvironment(node.cluster))
      : own(container, BUSYBOX_IMAGE),
  );
  const containers = listed(spec, 'containers').map((container) => ({
    ...own(container, BUSYBOX_IMAGE),
    ...calicoNode,
  }));
  await admin.create(PODS, {
    metadata: { name, labels: member(daemonSet, 'spec', 'template', 'metadata', 'labels') },
    spec: { ...(isJsonObject(spec) ? spec : {}), nodeName: NODE, initContainers, containers },
  });
  const pod = node.pods.at(`${PODS}/${name}`);
  const running = await pod.until('runs', (state) => phaseOf(state) === 'Running');
  const folder = `/var/log/pods/kube-system_${name}_${memberText(running['metadata'], 'uid')}`;
  return {
    log: async (container) =>
      (await readFile(join(folder, container, '0.log'), 'utf8')).replaceAll(/^\S+ \S+ F /gm, ''),
    async remove() {
      await pod.delete();
      await admin.delete('/apis/apps/v1/namespaces/kube-system/daemonsets/calico-node');
      for (const path of await readdir(CONFIGS)) await rm(join(CONFIGS, path));
    },
  };
}

interface Placed {
  log(container: string): Promise<string>;
  /** Removes the pod, and what was installed. */
  remove(): Promise<void>;
}

const SLEEPING = { command: ['/bin/sleep', '600'] };

describe.each(CALICO_RELEASES)(
  'the DaemonSet of Calico $version, with the image of podwire in install-cni',
  (release) => {
    let placed: Placed;
    beforeAll(async () => void (placed = await place(release)));
    afterAll(() => placed.remove());

    it('its init containers run in their order, and podwire is installed with the names of Calico', async () => {
      expect(await placed.log('upgrade-ipam')).toBe(`${release.upgradeIpam.command?.join(' ')}\n`);
      expect(await placed.log('install-cni')).toContain(`podwire is installed on node ${NODE}`);
      expect(await placed.log('ebpf-bootstrap')).toMatch(/^\S+ \S/);
      expect((await readdir(CONFIGS)).toSorted()).toEqual(['10-calico.conflist', 'calico-kubeconfig']);
      expect(JSON.parse(await readFile(join(CONFIGS, '10-calico.conflist'), 'utf8'))).toMatchObject({
        name: 'k8s-pod-network',
        plugins: [{ type: 'podwire', nodename: NODE, kubernetes: { kubeconfig: KUBECONFIG } }, { type: 'portmap' }],
      });
    });

    it('a pod starts, is ready by a probe of the kubelet, and leaves nothing when it is deleted', async () => {
      expect(isReady(await node.pods.nodeIsReady())).toBe(true);
      const untouched = await node.state();
      const pod = await node.pods.serve('web');
      const [ipv4, ipv6] = await pod.addresses();
      expect(await (await fetch(`http://${ipv4}:8080/`)).text()).toBe('hello\n');
      expect(await pod.annotations()).toHaveProperty(['cni.projectcalico.org/podIPs'], `${ipv4}/32,${ipv6}/128`);
      await pod.delete();
      expect(await node.state()).toEqual(untouched);
    });
  },
);

describe('Calico 3.33 renews the token of its plugin with `component node monitor-token`', () => {
  it('which the image of podwire understands, too', async () => {
    const release = CALICO_RELEASES.find(({ version }) => version === '3.33');
    if (release === undefined) throw new Error('the table has no 3.33');
    const placed = await place(release, {
      image,
      args: ['component', 'node', 'monitor-token'],
      env: [
        ...serverEnvironment(node.cluster),
        { name: 'KUBERNETES_NODE_NAME', value: NODE },
        { name: 'TOKEN_CHECK_SECONDS', value: '1' },
      ],
      volumeMounts: [{ name: 'cni-net-dir', mountPath: '/host/etc/cni/net.d' }],
    });
    const token = async () => tokenIn(await readFile(KUBECONFIG, 'utf8').catch(() => '{}'));
    await until('the file is read', async () => (await token()) !== '');
    await rm(KUBECONFIG);
    await until('the file is there again', async () => (await token()) !== '', {
      deadlineMs: 60_000,
      explain: () => placed.log('calico-node'),
    });
    expect(claimsIn(await token())).toMatchObject({ sub: 'system:serviceaccount:kube-system:calico-cni-plugin' });
    await placed.remove();
  });
});

// The operator would restore the image of install-cni, so podwire comes with its own DaemonSet, and its file is the first by name.
describe('Calico that its operator manages, which keeps its own configuration on the node', () => {
  it('podwire beside it, with a configuration whose name comes first, attaches pods', async () => {
    const ofCalico = JSON.stringify({ name: 'k8s-pod-network', cniVersion: '1.0.0', plugins: [{ type: 'calico' }] });
    await writeFile(join(CONFIGS, '10-calico.conflist'), ofCalico);
    await applyDaemonSet(node, { environment: { CNI_CONF_NAME: '00-podwire.conflist' } });
    const pod = await node.pods.serve('beside');
    const [ipv4] = await pod.addresses();
    expect(await pod.annotations()).toHaveProperty(['cni.projectcalico.org/podIP'], `${ipv4}/32`);
    expect((await readdir(CONFIGS)).toSorted()).toEqual([
      '00-podwire.conflist',
      '10-calico.conflist',
      'podwire-kubeconfig',
    ]);
    expect(await readFile(join(CONFIGS, '10-calico.conflist'), 'utf8')).toBe(ofCalico);
    await pod.delete();
  });
});

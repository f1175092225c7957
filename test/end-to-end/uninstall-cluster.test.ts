import { appendFile, copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOfFile } from '../../src/install/file-digest.ts';
import { isJsonObject, parseJsonObject } from '../../src/json/json.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { untilAllowed } from '../lab/api-server/access-review.ts';
import { member } from '../lab/member.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import type { RunningExecutable } from '../lab/run-executable.ts';
import { startPlugin } from '../lab/run-plugin.ts';
import { until } from '../lab/until.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, startInstallCluster } from '../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallNode } from '../support/installer/install-node.ts';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';

// docs/install.md, section "Uninstall", on three nodes: each node has its own folders, and the API server is real.

const UNINSTALL = 'cni-conf/rendered/uninstall.yaml';
const NAMES = ['node-1', 'node-2', 'node-3'] as const;

let cluster: Cluster;
let account: AccountFolder;
const nodes = new Map<string, InstallNode>();
const removals = new Map<string, { running: RunningExecutable; stderr: string }>();
let sandbox: Sandbox;

const nodeAt = (name: string): InstallNode => {
  const node = nodes.get(name);
  if (node === undefined) throw new Error(`there is no ${name}`);
  return node;
};
const logOf = (name: string): string => removals.get(name)?.stderr ?? '';
const traces = async (name: string) => (await nodeAt(name).names()).filter((path) => path.includes('podwire'));
const install = async (name: string, version = '1.1.0') => {
  account.write(await installerAccount(cluster));
  const environment = {
    CNI_SPEC_VERSION: version,
    CNI_NET_DIR: nodeAt(name).configs,
    LOG_FILE_PATH: join(nodeAt(name).root, 'var/log/podwire/cni.log'),
  };
  return nodeAt(name).run({ environment });
};

beforeAll(async () => {
  cluster = await startInstallCluster();
  account = makeAccountFolder(await installerAccount(cluster));
  for (const [index, name] of NAMES.entries()) {
    if (index > 0) await cluster.createNode(name, { podCIDRs: [`10.7${index}.1.0/24`] });
    nodes.set(name, await makeInstallNode(cluster.server, name));
    expect(await install(name)).toMatchObject({ exitCode: 0 });
    await mkdir(join(nodeAt(name).root, 'var/log/podwire'), { recursive: true });
    await writeFile(join(nodeAt(name).root, 'var/log/podwire/cni.log'), 'a line\n');
  }
  await cluster.createPod('default', 'web', { nodeName: 'node-1' });
  sandbox = await makeSandbox();
});
afterAll(async () => {
  for (const { running } of removals.values()) running.process.kill('SIGKILL');
  await sandbox[Symbol.asyncDispose]();
  for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

/** A call of the plugin as the runtime of node-1 makes it, with what is installed there. */
async function call(verb: 'ADD' | 'DEL') {
  const list: unknown = member(parseJsonObject(await nodeAt('node-1').read('10-podwire.conflist')), 'plugins');
  const [own] = Array.isArray(list) ? list.filter(isJsonObject) : [];
  if (own === undefined) throw new Error('there is no plugin in the configuration');
  const config = { ...own, name: 'k8s-pod-network', cniVersion: '1.1.0' };
  return startPlugin({
    verb,
    config,
    containerId: 'c1',
    interfaceName: 'eth0',
    sandboxPath: sandbox.path,
    pod: { namespace: 'default', name: 'web', uid: '' },
    pluginPath: '/opt/cni/bin',
    executable: '/opt/cni/bin/podwire',
    within: nodeAt('node-1').within,
  }).ended;
}

const cordon = (name: string) =>
  cluster.admin.request(
    'PATCH',
    `/api/v1/nodes/${name}`,
    { spec: { unschedulable: true } },
    'application/merge-patch+json',
  );

/** Starts the command of the DaemonSet's init container on a node. */
function startRemoval(name: string): void {
  const daemonSet = readManifest(UNINSTALL).find((object) => object['kind'] === 'DaemonSet');
  const containers: unknown = member(daemonSet, 'spec', 'template', 'spec', 'initContainers');
  const command: unknown = Array.isArray(containers) ? member(containers[0], 'command') : undefined;
  const [program, ...args] = Array.isArray(command) ? command.map(String) : [];
  expect(program).toBe('/opt/cni/bin/podwire');
  const environment = { CNI_NET_DIR: nodeAt(name).configs };
  const running = nodeAt(name).start({ args, environment });
  const removal = { running, stderr: '' };
  running.process.stderr.on('data', (text: string) => (removal.stderr += text));
  removals.set(name, removal);
}

describe('uninstall.yaml on three nodes', () => {
  beforeAll(async () => {
    expect(await call('ADD')).toMatchObject({ exitCode: 0 });
    await applyManifest(cluster.admin, readManifest(UNINSTALL), 'keep');
    account.write(await installerAccount(cluster, 'podwire-uninstall'));
    await untilAllowed(cluster.admin, 'system:serviceaccount:kube-system:podwire-uninstall', {
      verb: 'get',
      resource: 'nodes',
    });
    await writeFile(join(nodeAt('node-3').configs, '20-other.conflist'), '{"plugins":[{"type":"bridge"}]}');
  });

  it('a node with another network configuration is done at once', async () => {
    startRemoval('node-3');
    expect(await removals.get('node-3')?.running.ended).toMatchObject({ exitCode: 0 });
    expect(await traces('node-3')).toEqual([]);
    expect(await nodeAt('node-3').names()).toContain('etc/cni/net.d/20-other.conflist');
  });

  it('a node that would be without a network keeps podwire until it is cordoned', async () => {
    startRemoval('node-2');
    await until('it says why it waits', () => logOf('node-2').includes('waiting'));
    expect(logOf('node-2')).toMatch(
      /node node-2 has no other network configuration and is not cordoned: .*kubectl drain node-2/,
    );
    expect(await traces('node-2')).toContain('etc/cni/net.d/10-podwire.conflist');
    await cordon('node-2');
    expect(await removals.get('node-2')?.running.ended).toMatchObject({ exitCode: 0 });
    expect(await traces('node-2')).toEqual([]);
  });

  it('a cordoned node keeps podwire until its last pod is gone, whose DEL it can still answer', async () => {
    await cordon('node-1');
    startRemoval('node-1');
    await until('it says why it waits', () => logOf('node-1').includes('1 attachment is still recorded'));
    expect(await traces('node-1')).toContain('opt/cni/bin/podwire');
    expect(await call('DEL')).toMatchObject({ exitCode: 0 });
    expect(await removals.get('node-1')?.running.ended).toMatchObject({ exitCode: 0 });
    expect(await traces('node-1')).toEqual([]);
  });

  it('the network configuration is removed first on each node, and the log last', () => {
    for (const name of NAMES) {
      const removed = [...logOf(name).matchAll(/ INFO (\S+): removed/g)].map(([, path]) => path);
      expect(removed[0]).toMatch(/10-podwire\.conflist$/);
      expect(removed.at(-1)).toBe('/var/log/podwire');
    }
  });
});

describe('rollback: podwire is installed again on a node from which it was removed', () => {
  it('the node has what it had, and attaches a pod', async () => {
    expect(await install('node-1')).toMatchObject({ exitCode: 0 });
    expect(await traces('node-1')).toContain('etc/cni/net.d/10-podwire.conflist');
    expect(await call('ADD')).toMatchObject({ exitCode: 0 });
    expect(await call('DEL')).toMatchObject({ exitCode: 0 });
  });
});

describe('rollback of an upgrade', () => {
  it('the previous release is there again, and detaches a pod that the newer one attached', async () => {
    const node = nodeAt('node-1');
    const [program, config] = [join(node.programs, 'podwire'), () => node.read('10-podwire.conflist')];
    const previous = { digest: await digestOfFile(program), config: await config() };
    // Bytes after the end of an executable do not change what it does.
    const image = join(node.image, 'podwire');
    await copyFile(image, `${image}.previous`);
    await appendFile(image, 'a newer release');
    expect(await install('node-1', '1.0.0')).toMatchObject({ exitCode: 0 });
    expect(await digestOfFile(program)).not.toBe(previous.digest);
    expect(await config()).not.toBe(previous.config);
    expect(await call('ADD')).toMatchObject({ exitCode: 0 });

    await rename(`${image}.previous`, image);
    expect(await install('node-1')).toMatchObject({ exitCode: 0 });
    expect({ digest: await digestOfFile(program), config: await config() }).toEqual(previous);
    expect(await call('DEL')).toMatchObject({ exitCode: 0 });
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { digestOfFile } from '../../src/install/file-digest.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAccountFolder, type AccountFiles, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { claimsIn, makeInstallNode, tokenIn, type InstallNode } from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { runExecutable } from '../lab/run-executable.ts';
import { until } from '../lab/until.ts';
import { member } from '../lab/member.ts';

const PROGRAMS = ['bandwidth', 'host-local', 'loopback', 'podwire', 'portmap', 'tuning'];
const CONFIG = '10-podwire.conflist';
const KUBECONFIG = 'podwire-kubeconfig';

let cluster: Cluster;
let account: AccountFolder;
let accountFiles: AccountFiles;
let node: InstallNode;
beforeAll(async () => {
  cluster = await startInstallCluster();
  accountFiles = await installerAccount(cluster);
  account = makeAccountFolder(accountFiles);
});
beforeEach(async () => {
  node = await makeInstallNode(cluster.server, NODE);
  return () => node[Symbol.asyncDispose]();
});
afterAll(async () => {
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

const inode = (path: string) => statSync(path).ino;
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

async function install(environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await node.run({ environment });
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: expect.any(String) });
  return stderr;
}

describe('podwire install on a bare node', () => {
  it('writes programs, their libraries, kubeconfig and network configuration, and prints a line for each', async () => {
    const stderr = await install();
    expect(readdirSync(node.programs).toSorted()).toEqual(['.podwire', ...PROGRAMS]);
    expect(readdirSync(node.configs).toSorted()).toEqual([CONFIG, KUBECONFIG]);
    const [, folder = ''] =
      /with its own libraries in (\/opt\/cni\/bin\/\.podwire\/0\.1\.0-[0-9a-f]{12}),/.exec(stderr) ?? [];
    const native = readdirSync(join(node.root, folder));
    expect(native).toEqual(expect.arrayContaining(['koffi.node', 'netlink.node', 'libc.so.6', 'libstdc++.so.6']));
    expect([readdirSync(node.state), readdirSync(join(node.programs, '.podwire'))]).toEqual([[], [basename(folder)]]);
    for (const path of [...PROGRAMS.map((name) => `/opt/cni/bin/${name}`), `/etc/cni/net.d/${CONFIG}`]) {
      expect(stderr).toMatch(new RegExp(` INFO ${path}: (installed|written)`));
    }
  });

  it('the order is programs, kubeconfig, network configuration', async () => {
    const lines = (await install()).split('\n').flatMap((line) => / INFO (\/\S+): /.exec(line)?.[1] ?? []);
    expect(lines.slice(0, 6).every((path) => path.startsWith('/opt/cni/bin/'))).toBe(true);
    expect(lines.slice(-2)).toEqual([`/etc/cni/net.d/${KUBECONFIG}`, `/etc/cni/net.d/${CONFIG}`]);
  });

  it('the plugin reaches the API server with the written files, and only root can read them', async () => {
    await install();
    expect([mode(node.kubeconfigPath), mode(join(node.configs, CONFIG))]).toEqual(['600', '644']);
    const netconf = { cniVersion: '1.0.0', name: 'n', type: 'podwire', ipam: { type: 'host-local' } };
    const stdin = JSON.stringify({ ...netconf, kubernetes: { kubeconfig: node.kubeconfigPath } });
    const answered = await runExecutable({
      args: ['-t'],
      stdin,
      executable: '/opt/cni/bin/podwire',
      within: node.within,
    });
    expect(answered).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('answers') });
  });

  it('the token is for the plugin only, bound to this Node, and valid for a day', async () => {
    await install();
    const claims = claimsIn(tokenIn(await node.read(KUBECONFIG)));
    const uid = member(await cluster.admin.get(`/api/v1/nodes/${NODE}`), 'metadata', 'uid');
    expect(claims).toMatchObject({
      sub: 'system:serviceaccount:kube-system:podwire',
      'kubernetes.io': { node: { name: NODE, uid } },
    });
    expect(Number(member(claims, 'exp')) - Number(member(claims, 'iat'))).toBe(86_400);
  });

  it('the placeholders are replaced', async () => {
    await install({ CNI_MTU: '1400', LOG_LEVEL: 'debug', CNI_NET_DIR: '/etc/other/net.d' });
    const config: unknown = JSON.parse(await node.read(CONFIG));
    expect(member(config, 'plugins')).toMatchObject([
      { nodename: NODE, mtu: 1400, log_level: 'debug', kubernetes: { kubeconfig: `/etc/other/net.d/${KUBECONFIG}` } },
      { type: 'portmap' },
      { type: 'bandwidth' },
    ]);
  });

  it('it does the same under the name install-cni, without arguments', async () => {
    linkSync(join(node.image, 'podwire'), join(node.image, 'install-cni'));
    const { exitCode, stderr } = await node.run({ calledAs: 'install-cni', args: [] });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    expect(readdirSync(node.programs).toSorted()).toEqual(['.podwire', ...PROGRAMS]);
  });
});

describe('podwire install on a node that has podwire', () => {
  it('does not change what is up to date', async () => {
    await install();
    const before = [...PROGRAMS.map((name) => inode(join(node.programs, name))), inode(join(node.configs, CONFIG))];
    const stderr = await install();
    const after = [...PROGRAMS.map((name) => inode(join(node.programs, name))), inode(join(node.configs, CONFIG))];
    expect(after).toEqual(before);
    expect(stderr.match(/unchanged: it is up to date/g)).toHaveLength(PROGRAMS.length + 1);
  });

  it('replaces an executable while it runs', async () => {
    await install();
    const executable = join(node.programs, 'podwire');
    const other = readFileSync(executable);
    rmSync(executable);
    writeFileSync(executable, other, { mode: 0o755 });
    appendFileSync(executable, 'of another version');
    const [unshare = '', ...within] = node.within;
    const running = spawn(unshare, [...within, '/opt/cni/bin/podwire', '-t'], {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    await until('it runs', () => readFileSync(`/proc/${running.pid}/maps`, 'utf8').includes('/opt/cni/bin/podwire'));
    expect(await install()).toContain('/opt/cni/bin/podwire: installed');
    let said = '';
    running.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    running.stdin.end();
    await once(running, 'close');
    expect(said).toContain('is empty');
    expect(await digestOfFile(executable)).toBe(await digestOfFile(join(node.image, 'podwire')));
  });

  it('UPDATE_CNI_BINARIES=false and SKIP_CNI_BINARIES keep other plugins unchanged', async () => {
    writeFileSync(join(node.programs, 'portmap'), '#!/bin/sh\n', { mode: 0o755 });
    await install({ UPDATE_CNI_BINARIES: 'false', SKIP_CNI_BINARIES: 'tuning, loopback' });
    expect(readFileSync(join(node.programs, 'portmap'), 'utf8')).toBe('#!/bin/sh\n');
    expect(readdirSync(node.programs).toSorted()).toEqual([
      '.podwire',
      'bandwidth',
      'host-local',
      'podwire',
      'portmap',
    ]);
  });

  it('old configurations are removed on request, after the new one is in place', async () => {
    for (const name of ['10-calico.conflist', '05-other.conf', '99-kept.conf'])
      writeFileSync(join(node.configs, name), '{}');
    const stderr = await install({ CNI_OLD_CONF_NAME: '10-calico.conflist,05-other.conf,nowhere.conf' });
    expect(readdirSync(node.configs).toSorted()).toEqual([CONFIG, '99-kept.conf', KUBECONFIG]);
    expect(stderr.indexOf('10-calico.conflist: removed')).toBeGreaterThan(stderr.indexOf(`${CONFIG}: written`));
  });

  it('a configuration with the token can be read only by root', async () => {
    const CNI_NETWORK_CONFIG = JSON.stringify({
      cniVersion: '1.0.0',
      name: 'n',
      plugins: [
        { type: 'podwire', ipam: { type: 'host-local' }, policy: { k8s_auth_token: '__SERVICEACCOUNT_TOKEN__' } },
      ],
    });
    const { exitCode, stderr } = await node.run({
      environment: { CNI_NETWORK_CONFIG, CNI_NETWORK_CONFIG_FILE: undefined },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    const token = tokenIn(await node.read(KUBECONFIG));
    expect([mode(join(node.configs, CONFIG)), (await node.read(CONFIG)).includes(token)]).toEqual(['600', true]);
    expect(stderr).not.toContain(token.split('.')[2]);
  });

  it('a template that contains a literal token is for root alone', async () => {
    const podwire = { type: 'podwire', ipam: { type: 'host-local' }, policy: { k8s_auth_token: 'a-literal-token' } };
    const CNI_NETWORK_CONFIG = JSON.stringify({ cniVersion: '1.0.0', name: 'n', plugins: [podwire] });
    await install({ CNI_NETWORK_CONFIG, CNI_NETWORK_CONFIG_FILE: '' });
    expect([mode(join(node.configs, CONFIG)), (await node.read(CONFIG)).includes('a-literal-token')]).toEqual([
      '600',
      true,
    ]);
  });
});

describe('podwire uninstall', () => {
  const uninstall = (args: readonly string[] = []) => node.run({ args: ['uninstall', ...args] });
  const bare = ['etc', 'etc/cni', 'etc/cni/net.d', 'opt', 'opt/cni', 'opt/cni/bin', 'var', 'var/lib'];

  it('removes what install wrote, the network configuration first, and keeps plugins that others can use', async () => {
    await install();
    writeFileSync(join(node.configs, '99-other.conf'), '{"type":"bridge"}');
    const { exitCode, stderr } = await uninstall();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    const others = PROGRAMS.filter((name) => name !== 'podwire').map((name) => `opt/cni/bin/${name}`);
    expect(await node.names()).toEqual([...bare, ...others, 'etc/cni/net.d/99-other.conf'].toSorted());
    const removed = [...stderr.matchAll(/ INFO (\S+): removed/g)].map(([, path]) => path);
    expect(removed.slice(0, 2)).toEqual([`/etc/cni/net.d/${CONFIG}`, `/etc/cni/net.d/${KUBECONFIG}`]);
    expect(removed.slice(-3)).toEqual(['/opt/cni/bin/podwire', '/opt/cni/bin/.podwire', '/var/lib/podwire']);
  });

  it('repeated changes nothing more', async () => {
    await install();
    expect((await uninstall()).exitCode).toBe(0);
    expect((await uninstall()).exitCode).toBe(0);
  });

  it('changes nothing while pods are attached that only podwire can detach, unless forced', async () => {
    await install();
    const network = join(node.state, 'networks/k8s-pod-network');
    mkdirSync(network, { recursive: true });
    writeFileSync(join(network, 'c1-eth0.record.json'), '{}');
    const before = await node.names();
    const { exitCode, stderr } = await uninstall();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(/1 attachment is still recorded.*drain it/),
    });
    expect(await node.names()).toEqual(before);
    expect((await uninstall(['--force'])).exitCode).toBe(0);
    expect(readdirSync(node.configs)).toEqual([]);
    expect(readdirSync(network)).toEqual(['c1-eth0.record.json']);
  });

  it.each(['k8s-pod-network', 'native', 'networks'])(
    'finds and keeps records of an earlier version in %s',
    async (name) => {
      await install();
      const network = join(node.state, name);
      mkdirSync(network, { recursive: true });
      writeFileSync(join(network, 'c1@eth0.record.json'), '{}');
      expect(await uninstall()).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('1 attachment is still'),
      });
      expect((await uninstall(['--force'])).exitCode).toBe(0);
      expect((await node.names()).filter((path) => path.startsWith('var/lib/podwire/'))).toEqual([
        `var/lib/podwire/${name}`,
        `var/lib/podwire/${name}/c1@eth0.record.json`,
      ]);
    },
  );
});

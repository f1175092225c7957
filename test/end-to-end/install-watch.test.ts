import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAccountFolder, type AccountFiles, type AccountFolder } from '../support/installer/account-folder.ts';
import { makeCertificateAuthority } from '../lab/certificates/certificate-authority.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import {
  claimsIn,
  makeInstallNode,
  tokenIn,
  type InstallerCall,
  type InstallNode,
} from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import type { RunningExecutable } from '../lab/run-executable.ts';
import { startTokenServer } from '../support/servers/token-server.ts';
import { until } from '../lab/until.ts';
import { member } from '../lab/member.ts';

const WATCH: InstallerCall = {
  args: ['install', '--watch'],
  environment: { TOKEN_CHECK_SECONDS: '1', CNI_NETWORK_CONFIG_FILE: undefined },
};

let cluster: Cluster;
let account: AccountFolder;
let accountFiles: AccountFiles;
beforeAll(async () => {
  cluster = await startInstallCluster();
  accountFiles = await installerAccount(cluster);
  account = makeAccountFolder(accountFiles);
});
afterAll(async () => {
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

/** The text of the kubeconfig; `''` while it does not exist. */
const read = (node: InstallNode) => node.read('podwire-kubeconfig').catch(() => '');
const tokenOn = async (node: InstallNode) => {
  const text = await read(node);
  return text === '' ? '' : tokenIn(text);
};

/** Ends it as a kubelet does: it must stop immediately, and without SIGKILL. */
async function end(running: RunningExecutable): Promise<string> {
  running.process.kill('SIGTERM');
  const { exitCode, signal, stderr } = await running.ended;
  expect({ exitCode, signal, stderr }).toEqual({ exitCode: 0, signal: null, stderr: expect.any(String) });
  return stderr;
}

describe('podwire install --watch, with a real API server', () => {
  let node: InstallNode;
  beforeEach(async () => {
    account.write(accountFiles);
    node = await makeInstallNode(cluster.server, NODE);
    return () => node[Symbol.asyncDispose]();
  });

  it('writes a kubeconfig and no other file, and ends with SIGTERM', async () => {
    const running = node.start(WATCH);
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    expect(await end(running)).not.toContain(tokenIn(await read(node)).split('.')[2]);
    expect((await node.names()).filter((name) => /net\.d\/|bin\//.test(name))).toEqual([
      'etc/cni/net.d/podwire-kubeconfig',
    ]);
    expect((statSync(node.kubeconfigPath).mode & 0o777).toString(8)).toBe('600');
  });

  it('removes what a previous process left that was killed while it wrote', async () => {
    const left = ['tmp', 'lock'].map((kind) =>
      join(node.configs, `.podwire-new-podwire-kubeconfig.0123456789ab.${kind}`),
    );
    for (const path of left) writeFileSync(path, 'half of a kubeconfig');
    const running = node.start(WATCH);
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    expect(left.filter((path) => existsSync(path))).toEqual([]);
    await end(running);
  });

  it('as the first process of a container, which ignores signals by default, it ends with SIGTERM as well', async () => {
    const running = node.start({ ...WATCH, within: ['unshare', '--pid', '--fork', '--kill-child'] });
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    const { pid } = running.process;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGTERM');
    const { exitCode, signal, stderr } = await running.ended;
    expect({ exitCode, signal, stderr }).toEqual({ exitCode: 0, signal: null, stderr: expect.any(String) });
  });

  it('a token that the API server refuses is replaced: here its Node was recreated', async () => {
    const running = node.start(WATCH);
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    const first = await tokenOn(node);
    await cluster.admin.delete(`/api/v1/nodes/${NODE}`);
    const { uid } = await cluster.createNode(NODE, { podCIDRs: ['10.71.0.0/24'] });
    await until('another token', async () => (await tokenOn(node)) !== first);
    expect(member(claimsIn(await tokenOn(node)), 'kubernetes.io', 'node', 'uid')).toBe(uid);
    expect(await end(running)).toContain('rejects the old one (401)');
  });

  it("a new certificate authority is in the kubeconfig as soon as the kubelet has swapped the account's files", async () => {
    const running = node.start({ ...WATCH, environment: { ...WATCH.environment, TOKEN_CHECK_SECONDS: '3600' } });
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    const both = `${accountFiles['ca.crt']}${makeCertificateAuthority('the next').certificatePem}`;
    account.write({ ...accountFiles, 'ca.crt': both });
    await until('the new authority', async () => (await read(node)).includes(Buffer.from(both).toString('base64')));
    expect(await end(running)).toContain('certificate authority has changed');
  });

  it('a removed kubeconfig is restored', async () => {
    const running = node.start(WATCH);
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    rmSync(node.kubeconfigPath);
    await until('a kubeconfig', async () => (await tokenOn(node)) !== '');
    expect((await end(running)).match(/podwire-kubeconfig: written/g)).toHaveLength(2);
  });

  it('a network configuration that holds the token is updated, another one is not', async () => {
    const CNI_NETWORK_CONFIG = JSON.stringify({
      cniVersion: '1.0.0',
      name: 'n',
      plugins: [
        { type: 'podwire', ipam: { type: 'host-local' }, policy: { k8s_auth_token: '__SERVICEACCOUNT_TOKEN__' } },
      ],
    });
    const running = node.start({ ...WATCH, environment: { ...WATCH.environment, CNI_NETWORK_CONFIG } });
    const config = () => node.read('10-podwire.conflist').catch(() => '');
    await until('a network configuration', async () => (await config()) !== '');
    expect(await config()).toContain(await tokenOn(node));
    await end(running);
  });
});

describe('podwire install --watch, with an API server whose tokens are short-lived', () => {
  it('a token is renewed before it expires, repeatedly', async () => {
    await using server = await startTokenServer(1000);
    account.write({ ...accountFiles, 'ca.crt': server.certificateAuthorityPem });
    await using node = await makeInstallNode(server.url, NODE);
    const running = node.start(WATCH);
    await until('a third token', () => server.issued.length >= 3);
    await until('the third on the node', async () => Number((await tokenOn(node)).slice(6)) >= 3);
    expect(await end(running)).toContain('the old one expires soon');
  });

  it('an unavailable API server is retried, and the kubeconfig stays meanwhile', async () => {
    await using server = await startTokenServer(1000);
    account.write({ ...accountFiles, 'ca.crt': server.certificateAuthorityPem });
    await using node = await makeInstallNode(server.url, NODE);
    const running = node.start(WATCH);
    await until('a token', async () => (await tokenOn(node)) !== '');
    server.setAway(true);
    await until('two refusals', () => server.refusals() >= 2);
    const kept = await tokenOn(node);
    expect(kept).toBe(server.issued.at(-1));
    server.setAway(false);
    await until('another token', async () => (await tokenOn(node)) !== kept);
    expect(await end(running)).toMatch(/WARNING .*\(503\).*; trying again in \d+ s/);
  });
});

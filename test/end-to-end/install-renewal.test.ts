import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RENEWAL_RECORD_PATH } from '../../src/install/renewal-record.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';
import { startExecutable, type EndedExecutable, type RunningExecutable } from '../lab/run-executable.ts';
import { until } from '../lab/until.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallNode } from '../support/installer/install-node.ts';
import { applyManifest, readManifest } from '../support/servers/manifest.ts';

// What the probes of the DaemonSet run, with a limit of seconds instead of minutes.

const BINDING = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings/podwire-installer';
const LIMIT_SECONDS = 4;

let cluster: Cluster;
let account: AccountFolder;
let node: InstallNode;
let watching: RunningExecutable;
beforeAll(async () => {
  rmSync(RENEWAL_RECORD_PATH, { force: true });
  cluster = await startInstallCluster();
  account = makeAccountFolder(await installerAccount(cluster));
  node = await makeInstallNode(cluster.server, NODE);
});
afterAll(async () => {
  watching.process.kill('SIGTERM');
  await watching.ended;
  await node[Symbol.asyncDispose]();
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
  rmSync(RENEWAL_RECORD_PATH, { force: true });
});

const check = (): Promise<EndedExecutable> =>
  startExecutable({
    environment: {},
    stdin: '',
    executable: join(node.image, 'podwire'),
    args: ['install', '--check-renewal', String(LIMIT_SECONDS)],
  }).ended;
const untilChecked = (what: string, exitCode: number) =>
  until(what, async () => (await check()).exitCode === exitCode, {
    deadlineMs: 90_000,
    explain: async () => (await check()).stderr,
  });

it('before podwire install --watch has run, the check fails', async () =>
  expect(await check()).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringMatching(/^the token of the plugin was not renewed yet: no attempt has ended/),
  }));

it('while tokens can be renewed, the check succeeds and prints nothing', async () => {
  watching = node.start({
    args: ['install', '--watch'],
    environment: { TOKEN_CHECK_SECONDS: '1', CNI_NETWORK_CONFIG_FILE: undefined },
  });
  await untilChecked('the check succeeds', 0);
  expect(await check()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
});

it('without its RoleBinding the check fails, long before a token is due, and says why; with it, it succeeds again', async () => {
  await cluster.admin.delete(BINDING);
  await untilChecked('the check fails', 1);
  expect((await check()).stderr).toMatch(
    /renewal tested for \d+ s: .*podwire-installer" is not permitted to create serviceaccounts\/token \(403\): apply /,
  );
  await applyManifest(cluster.admin, readManifest('cni-conf/rbac.yaml'), 'keep');
  await untilChecked('the check succeeds', 0);
  expect(watching.process.exitCode).toBeNull();
});

it('when the process is gone, the check fails after the limit', async () => {
  watching.process.kill('SIGKILL');
  await watching.ended;
  await untilChecked('the check fails', 1);
  expect((await check()).stderr).toContain('no attempt has ended since then');
});

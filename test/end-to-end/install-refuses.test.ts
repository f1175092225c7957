import { chmodSync, chownSync, copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeAccountFolder, type AccountFiles, type AccountFolder } from '../support/installer/account-folder.ts';
import { makeCertificateAuthority } from '../lab/certificates/certificate-authority.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallerCall, type InstallNode } from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';

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
  account.write(accountFiles);
  node = await makeInstallNode(cluster.server, NODE);
  return () => node[Symbol.asyncDispose]();
});
afterAll(async () => {
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

async function refusalOf(call: InstallerCall): Promise<string> {
  const before = await node.names();
  const { exitCode, stdout, stderr } = await node.run({
    ...call,
    environment: { LOG_LEVEL: 'debug', ...call.environment },
  });
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: '', stderr: expect.any(String) });
  for (const secret of accountFiles.token.split('.').slice(1)) expect(stderr).not.toContain(secret);
  expect(await node.names()).toEqual(before);
  const errors = stderr.split('\n').filter((line) => line.includes(' ERROR '));
  expect(errors).toHaveLength(1);
  return errors[0] ?? '';
}

describe('one line without a secret says what to do, and the node does not change', () => {
  const refuses = (why: string, message: RegExp, call: InstallerCall = {}, before: () => void = () => undefined) =>
    it(why, async () => {
      before();
      expect(await refusalOf(call)).toMatch(message);
    });
  const template = (text: string): InstallerCall => ({
    environment: { CNI_NETWORK_CONFIG: text, CNI_NETWORK_CONFIG_FILE: undefined },
  });
  const plugins = (list: string) => template(`{"cniVersion":"1.0.0","name":"n","plugins":${list}}`);
  const here = (path: string) => `mount --bind "${path}" "${path}" && mount -o remount,bind`;
  const within = (script: string): readonly string[] => [
    'unshare',
    '--mount',
    'sh',
    '-c',
    `${script} && exec "$@"`,
    'sh',
  ];

  refuses('no template', /neither CNI_NETWORK_CONFIG nor CNI_NETWORK_CONFIG_FILE is set/, template(''));
  refuses('the template is missing', /\/nowhere \(ENOENT\): the file is missing: correct its path, or create it/, {
    environment: { CNI_NETWORK_CONFIG_FILE: '/nowhere' },
  });
  refuses('the template is not JSON', /is not valid JSON/, template('{"k8s_auth_token":"__SERVICEACCOUNT_TOKEN__"'));
  refuses('a placeholder of etcd', /unknown placeholders: __ETCD_ENDPOINTS__/, template('{"a":"__ETCD_ENDPOINTS__"}'));
  refuses('no podwire in it', /no plugin of "type": "podwire"/, plugins('[{"type":"bridge"}]'));
  refuses(
    "Calico's pools",
    /calico-ipam, whose pools podwire does not support/,
    plugins('[{"type":"calico","ipam":{"type":"calico-ipam"}}]'),
  );
  refuses('podwire without ipam', /"ipam" is missing/, plugins('[{"type":"podwire"}]'));
  refuses('a datastore that podwire does not know', /a datastore_type other than kubernetes/, {
    environment: { DATASTORE_TYPE: 'etcdv3' },
  });
  refuses('a list in a file for one plugin', /ends in \.conflist, not from a\.conf/, {
    environment: { CNI_CONF_NAME: 'a.conf' },
  });
  refuses('a file name that leads elsewhere', /CNI_CONF_NAME is invalid: .* got "\.\.\/a\.conf"/, {
    environment: { CNI_CONF_NAME: '../a.conf' },
  });
  refuses('an MTU that is not a number', /CNI_MTU is invalid: .* got "big"/, { environment: { CNI_MTU: 'big' } });
  refuses('a token over http', /https, because a token is sent over the connection/, {
    environment: { KUBERNETES_SERVICE_PROTOCOL: 'http' },
  });
  it('a word that it does not know is a wrong command line', async () => {
    const before = await node.names();
    const { exitCode, stdout, stderr } = await node.run({ args: ['install', '--wach'] });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toBe('podwire: unknown option "--wach". Did you mean "--watch"?\nSee "podwire --help".\n');
    expect(await node.names()).toEqual(before);
  });
  refuses('no host-local anywhere', /needs host-local, which neither this image nor \/opt\/cni\/bin/, {}, () =>
    rmSync(join(node.image, 'host-local')),
  );
  refuses('host-local is skipped and not there', /remove them from SKIP_CNI_BINARIES/, {
    environment: { SKIP_CNI_BINARIES: 'host-local' },
  });
  refuses('the folder of programs is not mounted', /opt\/cni\/bin \(ENOENT\): the folder is missing: mount/, {}, () =>
    rmSync(node.programs, { recursive: true }),
  );
  const changeable = (path: string) => new RegExp(`because users other than root can change ${path};`);
  refuses('the folder of programs, which others can write', changeable('/opt/cni/bin'), {}, () =>
    chmodSync(node.programs, 0o777),
  );
  refuses('the folder of programs, which its group can write', changeable('/opt/cni/bin'), {}, () => {
    chownSync(node.programs, 0, 1234);
    chmodSync(node.programs, 0o775);
  });
  refuses('the folder of programs, which Kubespray gives to the user kube', changeable('/opt/cni/bin'), {}, () =>
    chownSync(node.programs, 1234, 0),
  );
  refuses('the folder of programs with the sticky bit', changeable('/opt/cni/bin'), {}, () =>
    chmodSync(node.programs, 0o1777),
  );
  const skipped = { environment: { SKIP_CNI_BINARIES: 'host-local' } };
  const putHostLocal = (mode: number, uid = 0) => {
    const path = join(node.programs, 'host-local');
    copyFileSync(join(node.image, 'host-local'), path);
    chownSync(path, uid, 0);
    chmodSync(path, mode);
  };
  refuses('a skipped host-local that others can write', changeable('/opt/cni/bin/host-local'), skipped, () =>
    putHostLocal(0o757),
  );
  refuses('a skipped host-local of another user', changeable('/opt/cni/bin/host-local'), skipped, () =>
    putHostLocal(0o755, 1234),
  );
  refuses('a skipped host-local that is not executable', /host-local cannot be run: .*chmod 0755/, skipped, () =>
    putHostLocal(0o644),
  );
  refuses(
    'an old host-local that others can write, and is not to be updated',
    changeable('/opt/cni/bin/host-local'),
    { environment: { UPDATE_CNI_BINARIES: 'false' } },
    () => putHostLocal(0o757),
  );
  refuses('the API server is away', /refuses connections/, { environment: { KUBERNETES_SERVICE_PORT: '1' } });
  refuses('the Node does not exist', /has no node nowhere: set KUBERNETES_NODE_NAME/, {
    environment: { KUBERNETES_NODE_NAME: 'nowhere' },
  });
  refuses(
    'an account that the installer may not have tokens of',
    /is not permitted to create serviceaccounts\/token \(403\): apply cni-conf\/rbac\.yaml/,
    {
      environment: { CALICO_CNI_SERVICE_ACCOUNT: 'podwire-installer' },
    },
  );
  refuses('its own token is refused', /the token was refused \(401\)/, {}, () =>
    account.write({ ...accountFiles, token: 'no.such.token' }),
  );
  refuses('the server is of another authority', /is not trusted/, {}, () =>
    account.write({ ...accountFiles, 'ca.crt': makeCertificateAuthority('foreign').certificatePem }),
  );
  it('the programs are mounted read-only', async () => {
    const call = { within: within(`${here(node.programs)},ro "${node.programs}"`) };
    expect(await refusalOf(call)).toMatch(/\(EROFS\): it is mounted read-only: remove readOnly from/);
  });
  it('programs cannot be executed there', async () => {
    const call = { within: within(`${here(node.programs)},noexec "${node.programs}"`) };
    expect(await refusalOf(call)).toMatch(/cannot run \/opt\/cni\/bin\/podwire: its folder is mounted noexec/);
  });
  it('an executable that is broken is not put in place', async () => {
    rmSync(join(node.image, 'portmap'));
    writeFileSync(join(node.image, 'portmap'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const { exitCode, stderr } = await node.run();
    expect({ exitCode }).toEqual({ exitCode: 1 });
    expect(stderr).toMatch(
      /cannot run \/opt\/cni\/bin\/portmap: it did not answer like a CNI plugin; nothing was replaced/,
    );
    expect(await node.names()).not.toContain('opt/cni/bin/portmap');
    expect(await node.names()).not.toContain('etc/cni/net.d/10-podwire.conflist');
  });
});

it('none of the capabilities of root is needed, as the DaemonSet drops them all', async () => {
  const within = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
  const { exitCode, stderr } = await node.run({ within });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
});

it('a host-local that others can write is replaced, in a folder that the group root can write', async () => {
  chmodSync(node.programs, 0o775);
  const path = join(node.programs, 'host-local');
  copyFileSync(join(node.image, 'host-local'), path);
  chmodSync(path, 0o777);
  const { exitCode, stderr } = await node.run();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('host-local: installed') });
  expect((statSync(path).mode & 0o777).toString(8)).toBe('755');
});

import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { EXECUTABLE, startExecutable } from '../lab/run-executable.ts';
import { makeAccountFolder, type AccountFolder } from '../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallerCall, type InstallNode } from '../support/installer/install-node.ts';
import type { Cluster } from '../lab/api-server/kube-apiserver.ts';

let cluster: Cluster;
let account: AccountFolder;
let node: InstallNode;
beforeAll(async () => {
  cluster = await startInstallCluster();
  account = makeAccountFolder(await installerAccount(cluster));
});
beforeEach(async () => {
  node = await makeInstallNode(cluster.server, NODE);
  return () => node[Symbol.asyncDispose]();
});
afterAll(async () => {
  account[Symbol.dispose]();
  await cluster[Symbol.asyncDispose]();
});

/** @returns the folder of the libraries, as the node sees it; `''` if the executable was not replaced */
async function install(call: InstallerCall = {}): Promise<string> {
  const { exitCode, stderr } = await node.run(call);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
  return /with its own libraries in (\S+),/.exec(stderr)?.[1] ?? '';
}

async function answersVersion(): Promise<boolean> {
  const environment = { CNI_COMMAND: 'VERSION' };
  const call = { executable: '/opt/cni/bin/podwire', within: node.within, environment };
  return (await startExecutable({ ...call, stdin: '{"cniVersion":"1.0.0"}' }).ended).exitCode === 0;
}

const remounted = (path: string, options: string): readonly string[] => {
  const script = `mount --bind "$0" "$0" && mount -o remount,bind,${options} "$0" && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, path];
};
const BESIDE = /^\/opt\/cni\/bin\/\.podwire\/0\.1\.0-[0-9a-f]{12}$/;

describe('the libraries are in the folder of the state, unless the executable does not run from there', () => {
  const areBeside = (why: string, prepare: () => InstallerCall) =>
    it(`beside the programs, ${why}`, async () => {
      const call = prepare();
      const folder = await install(call);
      expect(folder).toMatch(BESIDE);
      expect(await answersVersion()).toBe(true);
      expect(readdirSync(join(node.root, folder))).toContain('koffi.node');
      expect(await install(call)).toBe(''); // it is up to date
    });
  areBeside('if the state is mounted noexec', () => ({ within: remounted(node.state, 'noexec') }));
  areBeside('if the state is read-only', () => ({ within: remounted(node.state, 'ro') }));
  areBeside('if the state is not mounted', () => {
    rmSync(node.state, { recursive: true });
    return {};
  });
  areBeside('if another user owns the folder of native code', () => {
    mkdirSync(join(node.state, 'native'));
    chownSync(join(node.state, 'native'), 1234, 1234);
    return {};
  });

  it('uninstall removes them there, too', async () => {
    await install({ within: remounted(node.state, 'noexec') });
    expect((await node.run({ args: ['uninstall'] })).exitCode).toBe(0);
    expect(readdirSync(node.programs)).not.toContain('.podwire');
  });

  it('a folder of programs that is mounted from another path than CNI_BIN_DIR is not used', async () => {
    rmSync(node.state, { recursive: true });
    const within = remounted(node.programs, 'rw');
    const { exitCode, stderr } = await node.run({ within, environment: { CNI_BIN_DIR: '/usr/lib/cni' } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/set CNI_BIN_DIR to its path/) });
    expect(stderr).toMatch(/it is not mounted here \(libraries in \/var\/lib\/podwire\/native\)/);
    expect(readdirSync(node.programs)).toEqual([]);
  });
});

describe('an upgrade', () => {
  /** The node has an executable of another build, with its libraries. */
  async function makeOldNode(): Promise<void> {
    const folder = join(node.root, await install());
    renameSync(folder, join(node.state, 'native/0.0.9-replaced'));
    await bindExecutable(join(node.programs, 'podwire'), '/var/lib/podwire/native/0.0.9-replaced');
    utimesSync(join(node.state, 'native/0.0.9-replaced'), 0, 0);
    expect(await answersVersion()).toBe(true);
  }
  const folders = () => readdirSync(join(node.state, 'native'));

  it('keeps the libraries of the executable that it replaces, which processes may be about to load', async () => {
    await makeOldNode();
    const folder = await install();
    expect(folders().toSorted()).toEqual(['0.0.9-replaced', folder.slice('/var/lib/podwire/native/'.length)]);
  });

  it('removes them later, and only them', async () => {
    await makeOldNode();
    const folder = await install();
    utimesSync(join(node.state, 'native/0.0.9-replaced'), 0, 0);
    utimesSync(join(node.root, folder), 0, 0);
    expect(await install()).toBe('');
    expect(folders()).toEqual([folder.slice('/var/lib/podwire/native/'.length)]);
    expect(await answersVersion()).toBe(true);
  });

  it('repairs libraries that were changed or removed', async () => {
    const folder = join(node.root, await install());
    writeFileSync(join(folder, 'libm.so.6'), 'damaged');
    rmSync(join(folder, 'libdl.so.2'));
    expect(await answersVersion()).toBe(false);
    await install();
    expect(await answersVersion()).toBe(true);
  });

  it('of an executable that is kept keeps its libraries, however old they are', async () => {
    await makeOldNode();
    await install({ environment: { UPDATE_CNI_BINARIES: 'false' } });
    expect(folders()).toEqual(['0.0.9-replaced']);
    expect(await answersVersion()).toBe(true);
  });

  it('replaces the executable without a moment at which one of many that start fails', async () => {
    await makeOldNode();
    const upgraded = new AbortController();
    const starts = Array.from({ length: 8 }, async () => {
      let failures = 0;
      while (!upgraded.signal.aborted) if (!(await answersVersion())) failures++;
      return failures;
    });
    await install().finally(() => upgraded.abort());
    expect(await Promise.all(starts)).toEqual(starts.map(() => 0));
  });
});

it('the executable alone, without libraries beside it, cannot be put onto another machine', async () => {
  const { exitCode, stderr } = await startExecutable({
    executable: EXECUTABLE,
    args: ['install', '--root', node.root],
    environment: {
      CNI_NETWORK_CONFIG:
        '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"podwire","ipam":{"type":"host-local"}}]}',
    },
  }).ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/use the image.*--root \//) });
  expect(readdirSync(node.programs)).toEqual([]);
});

import {
  appendFileSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
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
const NAME = /\/0\.1\.0-[0-9a-f]{12}$/;

describe('the libraries are beside the programs, unless the executable does not run from there', () => {
  it('beside the programs', async () => {
    const folder = await install();
    expect(folder.replace(NAME, '')).toBe('/opt/cni/bin/.podwire');
    expect(await answersVersion()).toBe(true);
    expect(await install()).toBe(''); // it is up to date
  });

  const areInState = (why: string, prepare: () => InstallerCall) =>
    it(`in the folder of the state, ${why}`, async () => {
      const call = prepare();
      const folder = await install(call);
      expect(folder.replace(NAME, '')).toBe('/var/lib/podwire/native');
      expect(await answersVersion()).toBe(true);
      expect(readdirSync(join(node.root, folder))).toContain('koffi.node');
      expect(await install(call)).toBe('');
    });
  const makeFolderBeside = (): string => {
    const path = join(node.programs, '.podwire');
    mkdirSync(path);
    return path;
  };
  areInState('if their folder is mounted noexec', () => ({ within: remounted(makeFolderBeside(), 'noexec') }));
  areInState('if their folder is read-only', () => ({ within: remounted(makeFolderBeside(), 'ro') }));
  areInState('if another user owns their folder', () => {
    chownSync(makeFolderBeside(), 1234, 1234);
    return {};
  });
  areInState('if CNI_BIN_DIR is not the path of the folder that is mounted', () => ({
    within: remounted(node.programs, 'rw'),
    environment: { CNI_BIN_DIR: '/usr/lib/cni' },
  }));

  it('uninstall removes them there, too', async () => {
    await install({ within: remounted(makeFolderBeside(), 'noexec') });
    expect((await node.run({ args: ['uninstall'] })).exitCode).toBe(0);
    expect(readdirSync(join(node.root, 'var/lib'))).toEqual([]);
  });

  it('the installer gives the reason for each if the executable runs from neither', async () => {
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
    renameSync(folder, join(node.programs, '.podwire/0.0.9-replaced'));
    await bindExecutable(join(node.programs, 'podwire'), '/opt/cni/bin/.podwire/0.0.9-replaced');
    utimesSync(join(node.programs, '.podwire/0.0.9-replaced'), 0, 0);
    expect(await answersVersion()).toBe(true);
  }
  const folders = () => readdirSync(join(node.programs, '.podwire'));

  it('keeps the libraries of the executable that it replaces, which processes may be about to load', async () => {
    await makeOldNode();
    const folder = await install();
    expect(folders().toSorted()).toEqual(['0.0.9-replaced', basename(folder)]);
  });

  it('removes them later, and only them', async () => {
    await makeOldNode();
    const folder = await install();
    utimesSync(join(node.programs, '.podwire/0.0.9-replaced'), 0, 0);
    utimesSync(join(node.root, folder), 0, 0);
    expect(await install()).toBe('');
    expect(folders()).toEqual([basename(folder)]);
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

describe('a node changes from one kind of executable to the other', () => {
  const oldFolder = () => join(node.state, 'native/0.1.0');

  it('from one that uses its libraries to that of the image, and the folder of the former is removed', async () => {
    copyFileSync(EXECUTABLE, join(node.programs, 'podwire'));
    mkdirSync(oldFolder(), { recursive: true });
    writeFileSync(join(oldFolder(), 'koffi.node'), '');
    utimesSync(oldFolder(), 0, 0);
    expect(await install()).toMatch(NAME);
    expect(existsSync(oldFolder())).toBe(false);
    expect(await answersVersion()).toBe(true);
  });
});

describe('the executable alone, without the image', () => {
  const installAlone = (args: readonly string[], within: readonly string[] = []) => {
    const { hostname, port } = new URL(cluster.server);
    return startExecutable({
      executable: EXECUTABLE,
      args,
      within,
      environment: {
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        KUBERNETES_NODE_NAME: NODE,
        CNI_NET_DIR: node.configs,
        CNI_NETWORK_CONFIG:
          '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"podwire","ipam":{"type":"host-local"}}]}',
      },
    }).ended;
  };

  it('brings the libraries of the machine that it runs on', async () => {
    copyFileSync(join(node.image, 'host-local'), join(node.programs, 'host-local'));
    const { exitCode, stderr } = await installAlone(['install', '--root', node.root]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/with its own libraries in/) });
    expect(await answersVersion()).toBe(true);
    expect(await installAlone(['install', '--root', node.root])).toMatchObject({
      stderr: expect.stringContaining('bin/podwire: unchanged'),
    });
  });

  it('replaces that of the image on the node itself, and the libraries of the former are kept for now', async () => {
    const folder = join(node.root, await install());
    utimesSync(folder, 0, 0);
    appendFileSync(join(node.programs, 'podwire'), 'of another build');
    const { exitCode, stderr } = await installAlone(['install', '--root', '/'], node.within);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/with its own libraries in/) });
    expect(await answersVersion()).toBe(true);
    expect(existsSync(folder)).toBe(true);
    expect((await node.run({ args: ['uninstall'] })).exitCode).toBe(0);
    expect([readdirSync(join(node.root, 'var/lib')), existsSync(join(node.programs, '.podwire'))]).toEqual([[], false]);
  });
});

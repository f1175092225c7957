import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { startExecutable, type EndedExecutable } from '../lab/run-executable.ts';
import { makeLoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import type { NodeCall } from '../support/nodes/test-node.ts';
import { startTokenServer, type TokenServer } from '../support/servers/token-server.ts';
import { BROKEN_LIBRARIES, HOSTS, IMAGE, makeForeignRoot, PLAIN, type ForeignRoot } from './foreign-root.ts';

/** What a runtime may pass on. Each of these changes, ends or silences a program that uses the loader of the host. */
const HOSTILE = {
  LD_LIBRARY_PATH: `${BROKEN_LIBRARIES}:`,
  LD_PRELOAD: `${BROKEN_LIBRARIES}/libc.so.6`,
  LD_AUDIT: `${BROKEN_LIBRARIES}/libm.so.6`,
  LD_TRACE_LOADED_OBJECTS: '1',
  LD_DEBUG: 'all',
  LD_SHOW_AUXV: '1',
  GLIBC_TUNABLES: 'glibc.malloc.check=3',
};
const VERSION = { environment: { CNI_COMMAND: 'VERSION' }, stdin: '{"cniVersion":"1.0.0"}' };

/** Files of the host's library folders and of its loader, and libraries anywhere but in podwire's own folders. */
const foreign = (paths: readonly string[], own: readonly string[]) =>
  paths
    .filter((path) => /^\/(usr\/)?lib|^\/etc\/ld|^\/broken|\.so(\.|$)/.test(path))
    .filter((path) => ![...own, '/sys/'].some((folder) => path.startsWith(folder)));

const hosts = Object.keys(HOSTS).filter((name): name is keyof typeof HOSTS => Object.hasOwn(HOSTS, name));

describe.each(hosts)('a host with %s', (host) => {
  let node: LoopbackNode;
  let root: ForeignRoot;
  let tokens: TokenServer;
  let folder = '';
  beforeAll(async () => {
    node = await startLoopbackNode();
    root = await makeForeignRoot(host);
    tokens = await startTokenServer(3_600_000);
    const kubeconfig = makeKubeconfig(tokens.url, tokens.certificateAuthorityPem, { token: 'of-an-administrator' });
    await writeFile(join(root.path, 'etc/admin.conf'), JSON.stringify(kubeconfig));
    await writeFile(
      join(root.path, 'etc/template'),
      JSON.stringify({ ...node.netconf(), type: undefined, plugins: [node.netconf()] }),
    );
  });
  afterAll(async () => {
    await tokens[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
  });

  const run = (verb: string, call: Omit<NodeCall, 'verb'> = {}): Promise<EndedExecutable> =>
    node.run({
      ...call,
      verb,
      within: root.within(HOSTILE),
      executable: '/opt/cni/bin/podwire',
      pluginPath: '/opt/cni/bin',
    });

  it('cannot run the executable without its own libraries', async () => {
    const library = { LD_LIBRARY_PATH: HOSTILE.LD_LIBRARY_PATH };
    const { exitCode, stderr } = await startExecutable({ ...VERSION, within: root.within(library), executable: PLAIN })
      .ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 127, stderr: expect.stringMatching(HOSTS[host].failure) });
  });

  it('is installed by the executable of the image', async () => {
    await root.opened();
    const { exitCode, stderr } = await startExecutable({
      executable: `${IMAGE}/podwire`,
      args: ['install', '--root', '/'],
      within: root.within(HOSTILE),
      environment: {
        KUBECONFIG: '/etc/admin.conf',
        KUBERNETES_NODE_NAME: 'node-1',
        POD_NAMESPACE: 'kube-system',
        CNI_NETWORK_CONFIG_FILE: '/etc/template',
      },
    }).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    folder = /with its own libraries in (\S+),/.exec(stderr)?.[1] ?? '';
    expect(await readdir(join(root.path, folder))).toEqual(expect.arrayContaining(['libc.so.6', 'koffi.node']));
    expect(foreign(await root.opened(), [`${IMAGE}/libraries`, folder])).toEqual([]);
  });

  it('runs each command of the protocol, with variables that would change the loader of the host', async () => {
    await using pod = await makeLoopbackPod(node, 'foreign');
    await root.opened();
    expect(await run('VERSION')).toMatchObject({ exitCode: 0, stderr: '' });
    const settings = { cniVersion: '1.1.0' };
    const added = await run('ADD', { ...pod.call, settings });
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    const checked = { ...settings, prevResult: added.answer ?? null };
    expect(await run('CHECK', { ...pod.call, settings: checked })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await run('STATUS', { pod: 'none', settings })).toMatchObject({ exitCode: 0, stderr: '' });
    const valid = { ...settings, 'cni.dev/valid-attachments': [pod.valid] };
    expect(await run('GC', { pod: 'none', settings: valid })).toMatchObject({ exitCode: 0 });
    expect(pod.endpoint()).not.toEqual({});
    expect(await run('DEL', { ...pod.call, settings: checked })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(pod.endpoint()).toEqual({});
    const opened = await root.opened();
    expect(opened).toEqual(
      expect.arrayContaining([`${folder}/libc.so.6`, `${folder}/koffi.node`, '/opt/cni/bin/host-local']),
    );
    expect(foreign(opened, [folder])).toEqual([]);
  });

  it('gives its IPAM plugin these variables unchanged', async () => {
    await using pod = await makeLoopbackPod(node, 'variables');
    const script = '#!/image/busybox sh\n/image/busybox env >/run/podwire-variables\nexec /opt/cni/bin/host-local\n';
    await writeFile(join(root.path, 'opt/cni/bin/recorder'), script, { mode: 0o755 });
    const settings = { ipam: { type: 'recorder', ranges: [[{ subnet: '10.73.0.0/24' }]] } };
    expect(await run('ADD', { ...pod.call, settings })).toMatchObject({ exitCode: 0, stderr: '' });
    const variables = (await readFile('/run/podwire-variables', 'utf8')).split('\n');
    expect(variables).toContain(`LD_PRELOAD=${HOSTILE.LD_PRELOAD}`);
    expect(variables).toContain(`LD_LIBRARY_PATH=${HOSTILE.LD_LIBRARY_PATH}`);
    expect(await run('DEL', { ...pod.call, settings })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('says which libraries it uses', async () => {
    const args = ['-v'];
    const { stdout } = await startExecutable({ executable: '/opt/cni/bin/podwire', args, within: root.within(HOSTILE) })
      .ended;
    expect(stdout).toContain(`libraries: ${folder}\n`);
  });

  it('resolves names without the modules that its nsswitch.conf names', async () => {
    const { port } = new URL(node.api.url);
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    const named = join(node.folder, 'kubeconfig-with-a-name');
    await writeFile(named, kubeconfig.replaceAll(node.api.url, `https://api.test:${port}`));
    await writeFile(join(root.path, 'etc/hosts'), '127.0.0.1 api.test\n');
    await writeFile(join(root.path, 'etc/nsswitch.conf'), 'hosts: myhostname mdns4_minimal files\n');
    await root.opened();
    const { stderr } = await startExecutable({
      executable: '/opt/cni/bin/podwire',
      args: ['-t'],
      within: root.within(HOSTILE),
      stdin: JSON.stringify(node.netconf({ kubernetes: { kubeconfig: named } })),
    }).ended;
    expect(stderr).toMatch(/api\.test.*certificate/);
    const opened = await root.opened();
    expect(opened).toContain('/etc/nsswitch.conf');
    expect(foreign(opened, [folder])).toEqual([]);
  });

  it('is left without podwire by uninstall', async () => {
    const environment = { KUBECONFIG: '/etc/admin.conf' };
    const args = ['uninstall', '--root', '/'];
    const within = root.within(HOSTILE);
    const { exitCode, stderr } = await startExecutable({
      executable: '/opt/cni/bin/podwire',
      args,
      within,
      environment,
    }).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) });
    expect(existsSync(join(root.path, folder))).toBe(false);
    expect(await readdir(join(root.path, 'opt/cni/bin'))).not.toContain('podwire');
  });
});

import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { tarArchive, type TarEntry } from '../../../build/image/tar-archive.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { makeServerProcesses, startRestartable, type RestartableServers } from '../../lab/api-server/server-process.ts';
import { until } from '../../lab/until.ts';

/** The image of the tests' containers: busybox, and a link for each of its applets. */
export const BUSYBOX_IMAGE = 'localhost/busybox:test';
/** The image that keeps a sandbox running. */
const PAUSE_IMAGE = 'localhost/pause:test';

const BUSYBOX = '/bin/busybox';
const SOURCE_ADDRESS_SCRIPT = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' "$REMOTE_ADDR"
`;

/** Programs of other projects: each reports how it was called, and succeeds. */
const STAND_INS = ['opt/cni/bin/calico-ipam', 'usr/bin/calico-ipam', 'bin/calico-node', 'bin/calico'] as const;
const STAND_IN_SCRIPT = '#!/bin/sh\necho "$0 $*"\n';

/** containerd on a node. */
export interface NodeRuntime extends RestartableServers {
  readonly endpoint: string;
  /** Runs `ctr -n k8s.io` with these arguments, and returns its output. */
  ctr(...args: readonly string[]): Promise<string>;
  importImage(archivePath: string): Promise<void>;
}

/**
 * Starts containerd with the test's images. Its shims outlive it; they end with the process namespace.
 *
 * @param folder a separate folder for its state
 */
export async function startNodeRuntime(folder: string): Promise<NodeRuntime> {
  const tools = await ensureTools(['containerd', 'containerd-shim-runc-v2', 'ctr']);
  const socket = '/run/podwire-containerd/containerd.sock';
  const configPath = join(folder, 'containerd.toml');
  await writeFile(configPath, formatConfig({ folder, socket, shim: tools['containerd-shim-runc-v2'] }));
  const servers = await startRestartable(async () => {
    const processes = await makeServerProcesses('podwire-containerd-');
    const path = `PATH=${dirname(tools.containerd)}:${process.env['PATH']}`;
    await processes.start('containerd', 'env', [path, tools.containerd, '--config', configPath]);
    const what = 'containerd listens';
    await until(what, () => accepts(socket), { deadlineMs: 60_000, failure: processes.failure });
    return processes;
  });
  const ctr = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)(tools.ctr, ['--address', socket, '-n', 'k8s.io', ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  };
  const importImage = async (path: string) => {
    await ctr('images', 'import', '--snapshotter', 'native', '--local', path);
  };
  const archive = join(folder, 'busybox.tar');
  await writeFile(archive, await busyboxArchive());
  await importImage(archive);
  const images = await ctr('images', 'list', '-q');
  if (!images.includes(BUSYBOX_IMAGE)) throw new Error(`not imported: ${images}`);
  return { ...servers, endpoint: `unix://${socket}`, ctr, importImage };
}

interface Settings {
  readonly folder: string;
  readonly socket: string;
  readonly shim: string;
}

function formatConfig({ folder, socket, shim }: Settings): string {
  const images = 'io.containerd.cri.v1.images';
  const runtime = 'io.containerd.cri.v1.runtime';
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE runc may not lower it.
  return `version = 3
root = '${folder}/root'
state = '/run/podwire-containerd/state'
disabled_plugins = ['io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp']

[grpc]
address = '${socket}'

[plugins.'${images}']
snapshotter = 'native'
[plugins.'${images}'.pinned_images]
sandbox = '${PAUSE_IMAGE}'

[plugins.'${runtime}']
restrict_oom_score_adj = true
[plugins.'${runtime}'.cni]
bin_dirs = ['/opt/cni/bin']
conf_dir = '/etc/cni/net.d'
[plugins.'${runtime}'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
runtime_path = '${shim}'
[plugins.'${runtime}'.containerd.runtimes.runc.options]
BinaryName = 'runc'
`;
}

function accepts(socketPath: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(socketPath);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** A `docker save` archive of both images. */
async function busyboxArchive(): Promise<Buffer> {
  const { stdout } = await promisify(execFile)(BUSYBOX, ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const layer = tarArchive([
    { path: 'bin/busybox', content: await readFile(BUSYBOX), mode: 0o755 },
    ...applets.map((name): TarEntry => ({ path: `bin/${name}`, linkTarget: 'busybox' })),
    ...STAND_INS.map((path): TarEntry => ({ path, content: Buffer.from(STAND_IN_SCRIPT), mode: 0o755 })),
    { path: 'www/index.html', content: Buffer.from('hello\n'), mode: 0o644 },
    { path: 'www/cgi-bin/whence', content: Buffer.from(SOURCE_ADDRESS_SCRIPT), mode: 0o755 },
  ]);
  const images = [
    { tag: BUSYBOX_IMAGE, config: 'busybox.json', command: ['/bin/sh'] },
    { tag: PAUSE_IMAGE, config: 'pause.json', command: ['/bin/tail', '-f', '/dev/null'] },
  ];
  return tarArchive([
    { path: 'layer.tar', content: layer, mode: 0o644 },
    ...images.map(({ config, command }) => json(config, imageConfig(layer, command))),
    json(
      'manifest.json',
      images.map(({ tag, config }) => ({ Config: config, RepoTags: [tag], Layers: ['layer.tar'] })),
    ),
  ]);
}

function imageConfig(layer: Buffer, command: readonly string[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: command, Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
  };
}

function json(path: string, value: unknown): TarEntry {
  return { path, content: Buffer.from(JSON.stringify(value)), mode: 0o644 };
}

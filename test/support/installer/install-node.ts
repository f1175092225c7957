import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bindExecutable } from '../../../src/install/bind-executable.ts';
import { writeOwnLibraries } from '../../lab/tools/debian-libraries.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { EXECUTABLE, startExecutable, type EndedExecutable, type RunningExecutable } from '../../lab/run-executable.ts';
import { member } from '../../lab/member.ts';

/** One call of the installer. */
export interface InstallerCall {
  /** `['install']` by default. The last part of the path by which the executable is called can be another name. */
  readonly args?: readonly string[];
  readonly calledAs?: string;
  /** Added to what the DaemonSet sets. `undefined` unsets a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** A program and its first arguments, before the installer. */
  readonly within?: readonly string[];
  /** Whether it runs on the node, and not in a container that sees the node's folders elsewhere. */
  readonly isOnNode?: boolean;
}

/** The folders of a node as a pod sees them, and the folder of an image that has podwire and plugins. */
export interface InstallNode extends AsyncDisposable {
  /** The folder that is `/host` in the pod. */
  readonly root: string;
  readonly programs: string;
  readonly configs: string;
  readonly state: string;
  readonly kubeconfigPath: string;
  readonly image: string;
  /** A program and its first arguments: it runs another one that sees the folders where the node has them. */
  readonly within: readonly string[];
  start(call?: InstallerCall): RunningExecutable;
  run(call?: InstallerCall): Promise<EndedExecutable>;
  /** A file of the folder of configurations. */
  read(name: string): Promise<string>;
  /** The paths of all files and folders below the root. */
  names(): Promise<readonly string[]>;
}

const TEMPLATE = join(import.meta.dirname, '../../../cni-conf/base/10-podwire.conflist');
const CARRIED = ['host-local', 'portmap', 'bandwidth', 'tuning', 'loopback'] as const;

/** Makes a node without any files, in a separate folder. */
export async function makeInstallNode(
  server: string,
  nodeName: string,
  parent: string = tmpdir(),
): Promise<InstallNode> {
  const tools = await ensureTools(CARRIED);
  const folder = await mkdtemp(join(parent, 'podwire-install-'));
  const root = join(folder, 'host');
  const image = join(folder, 'image');
  const programs = join(root, 'opt/cni/bin');
  const configs = join(root, 'etc/cni/net.d');
  const state = join(root, 'var/lib/podwire');
  for (const path of [programs, configs, state, image]) await mkdir(path, { recursive: true });
  await copyFile(EXECUTABLE, join(image, 'podwire'));
  await writeOwnLibraries(join(image, 'libraries'), EXECUTABLE);
  await bindExecutable(join(image, 'podwire'), join(image, 'libraries'));
  for (const name of CARRIED) await place(tools[name], join(image, name));
  const { hostname, port } = new URL(server);
  const onNode = withinNode(state, programs);
  const start = ({ args = ['install'], calledAs = 'podwire', environment = {}, ...call }: InstallerCall = {}) =>
    startExecutable({
      environment: {
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        KUBERNETES_NODE_NAME: nodeName,
        CNI_NETWORK_CONFIG_FILE: TEMPLATE,
        ...environment,
      },
      stdin: '',
      within: [...(call.isOnNode === true ? onNode : []), ...(call.within ?? [])],
      executable: join(image, calledAs),
      args: [...args, '--root', root],
    });
  return {
    root,
    programs,
    configs,
    state,
    kubeconfigPath: join(configs, 'podwire-kubeconfig'),
    image,
    within: onNode,
    start,
    run: (call) => start(call).ended,
    read: (name) => readFile(join(configs, name), 'utf8'),
    names: async () => (await readdir(root, { recursive: true })).toSorted(),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

// Only there are the loader and the libraries of the executable that is installed.
function withinNode(state: string, programs: string): readonly string[] {
  const script = `mount -t tmpfs none /opt && mkdir -p /opt/cni/bin /var/lib/podwire &&
    { [ ! -d "$0" ] || mount --bind "$0" /var/lib/podwire; } && mount --bind "$1" /opt/cni/bin && shift && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, state, programs];
}

async function place(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}

/** The token of a kubeconfig's only user. */
export function tokenIn(kubeconfig: string): string {
  const users: unknown = member(JSON.parse(kubeconfig), 'users');
  const token: unknown = Array.isArray(users) ? member(users[0], 'user', 'token') : undefined;
  return typeof token === 'string' ? token : '';
}

/** Decodes the claims of a token. */
export function claimsIn(token: string): unknown {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

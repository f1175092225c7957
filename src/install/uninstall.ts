import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonList, isJsonObject, parseJsonObject, type JsonValue } from '../json/json.ts';
import { applyOperations } from './apply-operations.ts';
import { KUBECONFIG_NAME, type Layout } from './layout.ts';
import { isFolder, readFileNames } from './observe-node.ts';
import { nodeNameOf } from './node-config.ts';
import { assertNothingAttached, isInstalled, planUninstall, type UninstallFacts } from './plan-uninstall.ts';
import { runWithLog, type InstallIo } from './run-with-log.ts';
import { parseArgs, parseLayout } from './settings.ts';
import { waitUntilRemovable } from './wait-until-removable.ts';

/** The folder of the log on the node, unless LOG_FILE_PATH names another. */
const LOG_FOLDER = '/var/log/podwire';

/**
 * `podwire uninstall`: removes from a node what `podwire install` has installed.
 *
 * @returns the exit status
 */
export async function runUninstall(io: InstallIo): Promise<number> {
  return runWithLog(io, async (log) => {
    const { root, given } = parseArgs('uninstall', io.args, ['--force', '--wait', '--purge']);
    const layout = parseLayout(root, io.environment);
    const purged = given.has('--purge') ? [layout.onNode.state, LOG_FOLDER] : [];
    const observeNode = () =>
      observe(
        layout,
        purged.map((shownPath) => ({ path: join(root, shownPath), shownPath })),
      );
    const nodeName = nodeNameOf({ nodeName: io.environment['KUBERNETES_NODE_NAME'] || undefined });
    const facts = given.has('--wait')
      ? await waitUntilRemovable(observeNode, nodeName, { ...io, log })
      : await observeNode();
    if (!given.has('--force')) assertNothingAttached(facts);
    await applyOperations(planUninstall(facts), { log, libc: io.libc });
    if (!isInstalled(facts)) {
      log.info('podwire is not on this node');
      return;
    }
    const kept = given.has('--purge') ? 'are kept' : 'and its log, are kept';
    log.info(`podwire is uninstalled; the plugins of the CNI project that it had installed, ${kept}`);
  });
}

async function observe(layout: Layout, purged: UninstallFacts['purgedFolders']): Promise<UninstallFacts> {
  const { here } = layout;
  const programs = await readFileNames(here.programs);
  const configs = await readFileNames(here.configs);
  const users = new Map<string, ConfigUser>();
  for (const name of configs) users.set(name, await userOfConfig(join(here.configs, name)));
  const configsOf = (user: ConfigUser) => [...configs].filter((name) => users.get(name) === user).toSorted();
  const networks = await readNetworks(here.state);
  const purgedFolders = [];
  for (const folder of purged) if (await isFolder(folder.path)) purgedFolders.push(folder);
  return {
    layout,
    configNames: configsOf('podwire'),
    otherConfigNames: configsOf('other'),
    purgedFolders,
    hasKubeconfig: configs.has(KUBECONFIG_NAME),
    hasProgram: programs.has('podwire'),
    hasLibrariesBesidePrograms: programs.has('.podwire'),
    nativeFolders: await readNativeFolders(here.state),
    attachmentCount: networks.reduce((sum, { attachmentCount }) => sum + attachmentCount, 0),
    emptyNetworks: networks.filter(({ isEmpty }) => isEmpty).map(({ name }) => name),
  };
}

/** Whose plugins a runtime would call by a file; `none`: it is not a network configuration. */
type ConfigUser = 'podwire' | 'other' | 'none';

async function userOfConfig(path: string): Promise<ConfigUser> {
  if (!/\.(conflist|conf|json)$/.test(path)) return 'none';
  try {
    const config = parseJsonObject(await readFile(path));
    const list: JsonValue = config['plugins'] ?? null;
    const plugins = isJsonList(list) ? list : [config];
    const types = plugins.map((plugin) => (isJsonObject(plugin) ? plugin['type'] : undefined));
    if (types.includes('podwire')) return 'podwire';
    return types.some((type) => typeof type === 'string') ? 'other' : 'none';
  } catch {
    return 'none'; // the runtime cannot read it either
  }
}

interface NetworkFact {
  /** Of its folder, relative to the folder of the state. */
  readonly name: string;
  readonly attachmentCount: number;
  readonly isEmpty: boolean;
}

// With records of an earlier version among them, only the folders of the code.
async function readNativeFolders(state: string): Promise<readonly string[]> {
  const native = join(state, 'native');
  if (!(await isFolder(native))) return [];
  const hasRecords = (await readdir(native)).some((name) => name.endsWith('.json'));
  return hasRecords ? (await readFolderNames(native)).map((name) => join('native', name)) : ['native'];
}

async function readFolderNames(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function readNetworks(state: string): Promise<readonly NetworkFact[]> {
  // Beside `networks` are the folders of earlier versions. A network named `native` shared its folder with the code.
  const old = await readFolderNames(state);
  const networks = (await readFolderNames(join(state, 'networks'))).map((name) => join('networks', name));
  const facts = [...old, ...networks].map(async (name): Promise<NetworkFact> => {
    const files = await readdir(join(state, name)).catch(() => []);
    const attachmentCount = files.filter((file) => file.endsWith('.record.json')).length;
    const isShared = name === 'native' || name === 'networks';
    return { name, attachmentCount, isEmpty: !isShared && !files.some((file) => file.endsWith('.json')) };
  });
  return Promise.all(facts);
}

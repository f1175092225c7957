import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonList, isJsonObject, parseJsonObject, type JsonValue } from '../json/json.ts';
import { applyOperations } from './apply-operations.ts';
import { KUBECONFIG_NAME, type Layout } from './layout.ts';
import { isFolder, readFileNames } from './observe-node.ts';
import { planUninstall, assertNothingAttached, type UninstallFacts } from './plan-uninstall.ts';
import { runWithLog, type InstallIo } from './run-with-log.ts';
import { parseArgs, parseLayout } from './settings.ts';

/**
 * `podwire uninstall`: removes from a node what `podwire install` has installed.
 *
 * @returns the exit status
 */
export async function runUninstall(io: InstallIo): Promise<number> {
  return runWithLog(io, async (log) => {
    const { root, given } = parseArgs('uninstall', io.args, ['--force']);
    const facts = await observe(parseLayout(root, io.environment));
    if (!given.has('--force')) assertNothingAttached(facts);
    await applyOperations(planUninstall(facts), { log, libc: io.libc });
    log.info('podwire is uninstalled; the plugins of the CNI project that it had installed, and its log, are kept');
  });
}

async function observe(layout: Layout): Promise<UninstallFacts> {
  const { here } = layout;
  const programs = await readFileNames(here.programs);
  const configs = await readFileNames(here.configs);
  const configNames: string[] = [];
  for (const name of configs) if (await isOwnConfig(join(here.configs, name))) configNames.push(name);
  const networks = await readNetworks(here.state);
  return {
    layout,
    configNames: configNames.toSorted(),
    hasKubeconfig: configs.has(KUBECONFIG_NAME),
    hasProgram: programs.has('podwire'),
    hasLibrariesBesidePrograms: programs.has('.podwire'),
    nativeFolders: await readNativeFolders(here.state),
    attachmentCount: networks.reduce((sum, { attachmentCount }) => sum + attachmentCount, 0),
    emptyNetworks: networks.filter(({ isEmpty }) => isEmpty).map(({ name }) => name),
  };
}

// Whether a runtime would read the file as a network configuration that calls podwire.
async function isOwnConfig(path: string): Promise<boolean> {
  if (!/\.(conflist|conf|json)$/.test(path)) return false;
  try {
    const config = parseJsonObject(await readFile(path));
    const list: JsonValue = config['plugins'] ?? null;
    const plugins = isJsonList(list) ? list : [config];
    return plugins.some((plugin) => isJsonObject(plugin) && plugin['type'] === 'podwire');
  } catch {
    return false; // the runtime cannot read it either
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

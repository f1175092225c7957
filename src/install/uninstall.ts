import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonList, isJsonObject, parseJsonObject, type JsonValue } from '../json/json.ts';
import { applyOperations } from './apply-operations.ts';
import { KUBECONFIG_NAME, type Layout } from './layout.ts';
import { isFolder, observeLeftovers, readNames } from './observe-node.ts';
import { planUninstall, refuseWhileAttached, type UninstallFacts } from './plan-uninstall.ts';
import { runWithLog, type InstallIo } from './run-with-log.ts';
import { parseLayout, parseWords } from './settings.ts';

/**
 * `podwire uninstall`: removes from a node what the installer has put there.
 *
 * @returns the exit status
 */
export async function runUninstall(io: InstallIo): Promise<number> {
  return runWithLog(io, async (log) => {
    const { root, given } = parseWords('uninstall', io.words, ['--force']);
    const facts = await observe(parseLayout(root, io.environment));
    if (!given.has('--force')) refuseWhileAttached(facts);
    await applyOperations(planUninstall(facts), log);
    log.info('podwire is off this node; plugins of the CNI project that it brought, and its log, stay');
  });
}

async function observe(layout: Layout): Promise<UninstallFacts> {
  const { here } = layout;
  const [programs, configs] = [await readNames(here.programs), await readNames(here.configs)];
  const configNames: string[] = [];
  for (const name of configs) if (await isOurs(join(here.configs, name))) configNames.push(name);
  const networks = await readNetworks(here.state);
  return {
    layout,
    configNames: configNames.toSorted(),
    hasKubeconfig: configs.has(KUBECONFIG_NAME),
    hasProgram: programs.has('podwire'),
    hasNativeCode: await isFolder(join(here.state, 'native')),
    leftovers: await observeLeftovers(here),
    attachmentCount: networks.reduce((sum, { attachmentCount }) => sum + attachmentCount, 0),
    emptyNetworks: networks.filter(({ isEmpty }) => isEmpty).map(({ name }) => name),
  };
}

// What a runtime would read as a configuration that calls podwire.
async function isOurs(path: string): Promise<boolean> {
  if (!/\.(conflist|conf|json)$/.test(path)) return false;
  try {
    const config = parseJsonObject(await readFile(path));
    const list: JsonValue = config['plugins'] ?? null;
    const plugins = isJsonList(list) ? list : [config];
    return plugins.some((plugin) => isJsonObject(plugin) && plugin['type'] === 'podwire');
  } catch {
    return false; // the runtime reads it as little as we do
  }
}

interface NetworkFact {
  readonly name: string;
  readonly attachmentCount: number;
  readonly isEmpty: boolean;
}

async function readNetworks(state: string): Promise<readonly NetworkFact[]> {
  const entries = await readdir(state, { withFileTypes: true }).catch(() => []);
  const networks = entries.filter((entry) => entry.isDirectory() && entry.name !== 'native');
  const facts = networks.map(async ({ name }): Promise<NetworkFact> => {
    const files = await readdir(join(state, name));
    const attachmentCount = files.filter((file) => file.endsWith('.record.json')).length;
    return { name, attachmentCount, isEmpty: !files.some((file) => file.endsWith('.json')) };
  });
  return Promise.all(facts);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/json/json.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { placePlugins } from '../../lab/tools/place-plugins.ts';
import type { Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { EXECUTABLE } from '../../lab/run-executable.ts';
import { memberText } from '../../lab/member.ts';

export interface CnitoolAnswer {
  readonly exitCode: number | null;
  readonly stdout: string;
  /** The environment of cnitool and of all plugins. */
  readonly stderr: string;
}

/** The reference runtime of CNI, with a folder of configurations, and a folder of plugins that includes podwire. */
export interface Cnitool extends AsyncDisposable {
  /** Writes a list of plugins, which includes the name of the network. */
  configure(list: JsonObject): Promise<void>;
  /** @param environment CNI_ARGS, CAP_ARGS, CNI_IFNAME */
  run(
    verb: 'add' | 'check' | 'del' | 'gc' | 'status',
    network: string,
    sandbox: Sandbox,
    environment?: Readonly<Record<string, string>>,
  ): Promise<CnitoolAnswer>;
}

/** @param hostLocal the version of host-local among the plugins */
export async function makeCnitool(hostLocal: 'host-local' | 'host-local-1.1.1' = 'host-local'): Promise<Cnitool> {
  const { cnitool, ...plugins } = await ensureTools(['cnitool', hostLocal, 'portmap', 'bandwidth', 'tuning']);
  const folder = await mkdtemp('/run/podwire-cnitool-');
  const { [hostLocal]: hostLocalPath, portmap, bandwidth, tuning } = plugins;
  const placed = { 'host-local': hostLocalPath, portmap, bandwidth, tuning };
  const pluginPath = `${folder}:${await placePlugins(placed, join(folder, 'plugins'))}`;
  await symlink(EXECUTABLE, join(folder, 'podwire'));
  return {
    configure: (list) => writeFile(join(folder, `10-${memberText(list, 'name')}.conflist`), JSON.stringify(list)),
    async run(verb, network, { path }, environment = {}) {
      const env = { PATH: process.env['PATH'], NETCONFPATH: folder, CNI_PATH: pluginPath, ...environment };
      const child = spawn(cnitool, [verb, network, path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      await once(child, 'close');
      return { exitCode: child.exitCode, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

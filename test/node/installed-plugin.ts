import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { member, memberText } from '../lab/member.ts';
import type { EndedExecutable } from '../lab/run-executable.ts';
import { startPlugin } from '../lab/run-plugin.ts';

const PROGRAMS = '/opt/cni/bin';

/** Calls the installed podwire with the installed configuration, as libcni does for its plugin of the list. */
export async function callInstalled(
  verb: string,
  {
    containerId,
    pod,
    sandboxPath,
    more = {},
  }: {
    readonly containerId: string;
    readonly pod: { readonly namespace: string; readonly name: string };
    readonly sandboxPath: string;
    /** Members that the runtime adds. */
    readonly more?: JsonObject;
  },
): Promise<EndedExecutable> {
  const list: unknown = JSON.parse(await readFile('/etc/cni/net.d/10-podwire.conflist', 'utf8'));
  const plugins = member(list, 'plugins');
  const plugin: unknown = Array.isArray(plugins) ? plugins[0] : undefined;
  const config = {
    ...(isJsonObject(plugin) ? plugin : {}),
    cniVersion: memberText(list, 'cniVersion'),
    name: memberText(list, 'name'),
    ...more,
  };
  return startPlugin({
    verb,
    config,
    sandboxPath,
    containerId,
    interfaceName: 'eth0',
    pod,
    pluginPath: PROGRAMS,
    executable: join(PROGRAMS, 'podwire'),
  }).ended;
}

import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';

import { isExecutable } from './go-build.ts';
import { toolNamed, type ToolName } from './tool-table.ts';

/**
 * Finds an installed copy of the tool: kube-apiserver and etcd in KUBEBUILDER_ASSETS (the envtest convention),
 * plugins in CNI_PATH or /opt/cni/bin if they support CNI 1.1.0.
 */
export async function installedTool(name: ToolName): Promise<string | undefined> {
  const { installed, fileName } = toolNamed(name);
  switch (installed) {
    case 'envtest': {
      const folder = process.env['KUBEBUILDER_ASSETS'] ?? '';
      const path = join(folder, fileName);
      return folder !== '' && (await isExecutable(path)) ? path : undefined;
    }
    case 'plugin':
      for (const path of pluginPaths(fileName, ['/opt/cni/bin'])) {
        if ((await supportedCniVersions(path)).includes('1.1.0')) return path;
      }
      return undefined;
    case 'never':
      return undefined;
    default:
      return installed satisfies never;
  }
}

/** The possible paths of a plugin: in each folder of CNI_PATH, then in `folders`. */
export function pluginPaths(fileName: string, folders: readonly string[]): readonly string[] {
  const fromEnvironment = (process.env['CNI_PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...fromEnvironment, ...folders].map((folder) => join(folder, fileName));
}

/** The versions in the plugin's answer to VERSION; empty if it does not exist or is not a plugin. */
export async function supportedCniVersions(path: string): Promise<readonly string[]> {
  if (!(await isExecutable(path))) return [];
  const answer = await new Promise<string>((resolve) => {
    const options = { env: { CNI_COMMAND: 'VERSION' }, timeout: 5000 };
    const child = execFile(path, options, (error, stdout) => resolve(error === null ? stdout : ''));
    // A plugin that never reads its stdin must not end this process with EPIPE.
    child.stdin?.on('error', () => {}).end('{"cniVersion":"1.0.0"}');
  });
  return parseSupportedVersions(answer);
}

function parseSupportedVersions(answer: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(answer);
    if (typeof parsed !== 'object' || parsed === null || !('supportedVersions' in parsed)) return [];
    const versions: unknown = parsed.supportedVersions;
    return Array.isArray(versions) ? versions.filter((version) => typeof version === 'string') : [];
  } catch {
    return [];
  }
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../cni/environment.ts';
import type { Layout } from '../../install/layout.ts';
import { parseLayout } from '../../install/settings.ts';

/** The files of the node as this process sees them: from the node itself, or from the container of the DaemonSet. */
export interface NodeFiles {
  /** `/` on the node itself, otherwise the folder below which the folders of the node are mounted. */
  readonly root: string;
  readonly layout: Layout;
  /** The path for this process of a file of the node. */
  readonly at: (path: string) => string;
  /** A text with the paths that the node's own programs use. */
  readonly show: (text: string) => string;
}

/** Where the DaemonSet mounts the folders of the node. */
const CONTAINER_ROOT = '/host';

/**
 * Finds the files of the node.
 *
 * @param root `undefined`: the mounts of the DaemonSet if there are any, otherwise the node itself
 * @throws {InstallError} for CNI_NET_DIR and CNI_BIN_DIR that are not absolute paths
 */
export function openNodeFiles(root: string | undefined, environment: Environment): NodeFiles {
  const chosen = root ?? (existsSync(join(CONTAINER_ROOT, 'etc/cni/net.d')) ? CONTAINER_ROOT : '/');
  const layout = parseLayout(chosen, environment);
  const { here, onNode } = layout;
  const mapped = [
    [onNode.configs, here.configs],
    [onNode.programs, here.programs],
    [onNode.state, here.state],
  ] as const;
  return {
    root: chosen,
    layout,
    at(path) {
      const found = mapped.find(([folder]) => path === folder || path.startsWith(`${folder}/`));
      if (found !== undefined) return `${found[1]}${path.slice(found[0].length)}`;
      return chosen === '/' ? path : join(chosen, path);
    },
    show: (text) => (chosen === '/' ? text : text.replaceAll(`${chosen}/`, '/')),
  };
}

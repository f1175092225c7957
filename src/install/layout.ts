import { join } from 'node:path';

/** The folders of the node that podwire uses. */
export interface Folders {
  /** Where the container runtime looks for plugins. */
  readonly programs: string;
  /** Where the container runtime looks for network configurations. */
  readonly configs: string;
  /** Where podwire keeps its journal and its native code. */
  readonly state: string;
}

/** Where the installer finds a node's folders, and their paths on the node itself. */
export interface Layout {
  /** The paths that this process uses. */
  readonly here: Folders;
  /** The paths that the node's own programs use: for the content of files and for messages. */
  readonly onNode: Folders;
  /** Whether this process runs on the node itself, and not in a container. */
  readonly isThisMachine: boolean;
}

/**
 * @param root `/` on the node itself; in a container the folder below which the node's folders are mounted, always at
 *   opt/cni/bin, etc/cni/net.d and var/lib/podwire
 * @param names CNI_BIN_DIR and CNI_NET_DIR, paths on the node
 */
export function layoutOf(root: string, names: { readonly programs: string; readonly configs: string }): Layout {
  const onNode = { ...names, state: STATE };
  if (root === '/') return { here: onNode, onNode, isThisMachine: true };
  const here = { programs: join(root, 'opt/cni/bin'), configs: join(root, 'etc/cni/net.d'), state: join(root, STATE) };
  return { here, onNode, isThisMachine: false };
}

const STATE = '/var/lib/podwire';

/** The name of the plugin's kubeconfig in the folder of network configurations. */
export const KUBECONFIG_NAME = 'podwire-kubeconfig';

import { join } from 'node:path';

/** Three folders of the node. */
export interface Folders {
  /** Where the container runtime looks for plugins. */
  readonly programs: string;
  /** Where it looks for network configurations. */
  readonly configs: string;
  readonly state: string;
}

/** Where the installer finds a node's folders, and what they are called on the node itself. */
export interface Layout {
  /** As this process sees them. */
  readonly here: Folders;
  /** As the node's own programs see them: for what is written into files and said to people. */
  readonly onNode: Folders;
  /** The node's whole file system, if somebody has mounted it. Undefined: this process runs on the node itself. */
  readonly nodeRoot: string | undefined;
}

/**
 * @param root `/` on the node itself; in a container the folder below which the node's folders are mounted, always at
 *   opt/cni/bin, etc/cni/net.d, var/lib/podwire and (read-only, to be looked at) node
 * @param names CNI_BIN_DIR and CNI_NET_DIR, paths on the node
 */
export function layoutOf(root: string, names: { readonly programs: string; readonly configs: string }): Layout {
  const onNode = { ...names, state: STATE };
  if (root === '/') return { here: onNode, onNode, nodeRoot: undefined };
  const here = { programs: join(root, 'opt/cni/bin'), configs: join(root, 'etc/cni/net.d'), state: join(root, STATE) };
  return { here, onNode, nodeRoot: join(root, 'node') };
}

const STATE = '/var/lib/podwire';

/** Of the plugin's kubeconfig, in the folder of configurations. */
export const KUBECONFIG_NAME = 'podwire-kubeconfig';

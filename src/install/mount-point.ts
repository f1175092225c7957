/**
 * Whether the folder that is mounted at a path of this container is clearly another one than that of the node. The kernel
 * reports which folder of its file system is mounted; the node's path of that folder ends in the same names, because only
 * the mount point of the file system is unknown here.
 *
 * @param mountInfo the text of /proc/self/mountinfo: proc(5)
 * @param mountPoint the path in this container
 * @param nodePath the path on the node
 */
export function contradictsMount(mountInfo: string, mountPoint: string, nodePath: string): boolean {
  // Two ids, the device, its folder, and where that is mounted; the last mount covers the ones before.
  const roots = mountInfo.split('\n').flatMap((line) => {
    const [, , , root = '/', point = ''] = line.split(' ').map(unescape);
    return point === mountPoint ? [root] : [];
  });
  const root = roots.at(-1);
  return root !== undefined && !root.endsWith(nodePath) && !nodePath.endsWith(root === '/' ? '' : root);
}

/** The kernel writes white space and backslashes as three octal digits. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

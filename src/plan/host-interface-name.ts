/**
 * Computes the name of the host interface of a pod. The agent computes the same name from the Pod, so the two must
 * match exactly.
 *
 * - `eth0` of a pod: the prefix and the first 11 hex digits of sha1("<namespace>.<pod>").
 * - Another interface of the pod: the hash is of "<namespace>.<pod>.<interface>", because the second network of a pod
 *   needs another name than the first.
 * - No pod: the prefix and the first 11 characters of the container id.
 *
 * @param prefix at most 4 bytes, because the name of an interface has at most 15
 * @param sha1 returns the hash of a text in hex digits
 */
export function hostInterfaceName(
  prefix: string,
  owner: {
    readonly pod: { readonly namespace: string; readonly name: string } | undefined;
    readonly interfaceName: string;
    readonly containerId: string;
  },
  sha1: (text: string) => string,
): string {
  const { pod, interfaceName, containerId } = owner;
  if (pod === undefined) return prefix + containerId.slice(0, 11);
  const workload = `${pod.namespace}.${pod.name}`;
  const hashed = interfaceName === 'eth0' ? workload : `${workload}.${interfaceName}`;
  return prefix + sha1(hashed).slice(0, 11);
}

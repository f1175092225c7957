/**
 * The name of a pod's host interface. The agent computes the same name from the Pod alone, so it must match to the letter.
 *
 * `eth0` of a pod: prefix + first 11 hex digits of sha1("<namespace>.<pod>"). Another interface of the same pod: the hash takes
 * "<namespace>.<pod>.<interface>", else a pod's second network would take the first one's name. No pod: prefix + first 11 characters of
 * the container id.
 *
 * @param prefix at most 4 bytes, so that the name fits the kernel's 15
 * @param sha1 in hex digits
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

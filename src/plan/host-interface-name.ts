/**
 * Computes the name of the host interface of a pod. The agent computes the same name from the Pod, so the two must
 * match exactly.
 *
 * - `eth0` of a pod: the prefix and the first 11 hex digits of sha1("<namespace>.<pod>").
 * - Another interface of the pod: the hash is of "<namespace>.<pod>/<interface>". No pod has a `/` in its name, so this
 *   is never the name for another pod.
 * - `eth0` without a pod: the prefix and the first 11 characters of the container id, as Calico's plugin names it.
 * - Another interface without a pod: the hash is of "<container id>/<interface>".
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
  const isFirst = interfaceName === 'eth0';
  if (pod === undefined && isFirst) return prefix + containerId.slice(0, 11);
  const workload = pod === undefined ? containerId : `${pod.namespace}.${pod.name}`;
  return prefix + sha1(isFirst ? workload : `${workload}/${interfaceName}`).slice(0, 11);
}

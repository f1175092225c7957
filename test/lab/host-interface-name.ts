import { hash } from 'node:crypto';

/** The name that Calico's agent computes for the host interface of a pod's eth0. */
export function hostInterfaceName(
  { namespace = 'default', name }: { namespace?: string; name: string },
  prefix = 'cali',
): string {
  return `${prefix}${hash('sha1', `${namespace}.${name}`).slice(0, 11)}`;
}

import type { Sha1 } from './attachment.ts';

/** The owner of a host interface, as its alias names it. */
export interface HostInterfaceOwner {
  readonly containerId: string;
  readonly interfaceName: string;
  /** The name of the network, or `#` and the start of its hash if the alias has no room for it. */
  readonly network: string;
  /** "<namespace>/<pod>", or its hash like `network`; empty for an attachment without a pod. */
  readonly workload: string;
}

const MARK = 'podwire';
const MAX_ALIAS_BYTES = 255;
const MIN_HASH_PART_LENGTH = 12;

/**
 * The alias that names a host interface's owner: `podwire <containerID> <interface> <network> <namespace>/<pod>`.
 *
 * An alias belongs to its interface: it cannot be lost with a file, and it is removed with the interface. All parts are ASCII. Network and
 * workload are replaced by their hashes where they do not fit, so that no two attachments have the same alias.
 *
 * @see linux/if.h, IFALIASZ: 256 bytes with the closing NUL
 */
export function formatHostInterfaceAlias(
  { containerId, interfaceName, network, workload }: HostInterfaceOwner,
  sha1: Sha1,
): string {
  const head = `${MARK} ${containerId} ${interfaceName} `;
  const networkPart = fit(network, MAX_ALIAS_BYTES - head.length - 1 - MIN_HASH_PART_LENGTH, sha1);
  const workloadPart = fit(workload, MAX_ALIAS_BYTES - head.length - networkPart.length - 1, sha1);
  return `${head}${networkPart} ${workloadPart}`;
}

/** The owner that an alias names, `undefined` for an alias that podwire did not write. */
export function parseHostInterfaceAlias(alias: string | undefined): HostInterfaceOwner | undefined {
  const [mark, containerId, interfaceName, network, workload = ''] = (alias ?? '').split(' ');
  if (mark !== MARK || containerId === undefined || interfaceName === undefined || network === undefined) {
    return undefined;
  }
  return { containerId, interfaceName, network, workload };
}

/** True if an alias names this container, interface and network. */
export function ownsAttachment(
  owner: HostInterfaceOwner,
  { containerId, interfaceName, network }: Pick<HostInterfaceOwner, 'containerId' | 'interfaceName' | 'network'>,
  sha1: Sha1,
): boolean {
  return (
    owner.containerId === containerId &&
    owner.interfaceName === interfaceName &&
    isPartFor(owner.network, network, sha1)
  );
}

/** True if an alias names this pod, "<namespace>/<pod>". */
export function ownsWorkload(owner: HostInterfaceOwner, workload: string, sha1: Sha1): boolean {
  return isPartFor(owner.workload, workload, sha1);
}

/** True if an alias names this network. */
export function ownsNetwork(owner: HostInterfaceOwner, network: string, sha1: Sha1): boolean {
  return isPartFor(owner.network, network, sha1);
}

// `#` is in no name of a network or pod.
function fit(text: string, maxLength: number, sha1: Sha1): string {
  return text.length <= maxLength ? text : hashPart(text, sha1).slice(0, maxLength);
}

function isPartFor(part: string, text: string, sha1: Sha1): boolean {
  if (!part.startsWith('#')) return part === text;
  return part.length >= MIN_HASH_PART_LENGTH && hashPart(text, sha1).startsWith(part);
}

function hashPart(text: string, sha1: Sha1): string {
  return `#${sha1(text)}`;
}

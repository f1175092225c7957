/** The owner of a host interface, as its alias names it. */
export interface HostInterfaceOwner {
  readonly containerId: string;
  readonly interfaceName: string;
  readonly network: string;
  /** "<namespace>/<pod>", or empty for an attachment without a pod. A long one is cut. */
  readonly workload: string;
}

const MARK = 'podwire';
const MAX_ALIAS_BYTES = 255;

/**
 * The alias that names a host interface's owner: `podwire <containerID> <interface> <network> <namespace>/<pod>`.
 *
 * An alias belongs to its interface: it cannot be lost with a file, and it is removed with the interface. All parts are ASCII.
 *
 * @see linux/if.h, IFALIASZ: 256 bytes with the closing NUL
 */
export function formatHostInterfaceAlias({
  containerId,
  interfaceName,
  network,
  workload,
}: HostInterfaceOwner): string {
  return `${MARK} ${containerId} ${interfaceName} ${network} ${workload}`.slice(0, MAX_ALIAS_BYTES);
}

/** The owner that an alias names, `undefined` for an alias that podwire did not write. */
export function parseHostInterfaceAlias(alias: string | undefined): HostInterfaceOwner | undefined {
  const [mark, containerId, interfaceName, network, workload = ''] = (alias ?? '').split(' ');
  if (mark !== MARK || containerId === undefined || interfaceName === undefined || network === undefined)
    return undefined;
  return { containerId, interfaceName, network, workload };
}

/** True if an alias names this attachment. A long alias is cut after the container id and the interface name. */
export function isSameAttachment(
  owner: Pick<HostInterfaceOwner, 'containerId' | 'interfaceName'>,
  { containerId, interfaceName }: Pick<HostInterfaceOwner, 'containerId' | 'interfaceName'>,
): boolean {
  return owner.containerId === containerId && owner.interfaceName === interfaceName;
}

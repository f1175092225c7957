/** Who a host interface belongs to, as it stands in the interface's alias. */
export interface HostInterfaceOwner {
  readonly containerId: string;
  readonly interfaceName: string;
  readonly network: string;
  /** "<namespace>/<pod>", or empty for an attachment without a pod. Cut where the alias ends. */
  readonly workload: string;
}

const MARK = 'podwire';
const ALIAS_BYTES = 255;

/**
 * The alias that names a host interface's owner: `podwire <containerID> <interface> <network> <namespace>/<pod>`.
 *
 * It travels with the interface, so it can neither be lost with a file nor outlive the interface. All its parts are ASCII.
 *
 * @see linux/if.h, IFALIASZ: 256 bytes with the closing NUL
 */
export function formatHostInterfaceAlias({
  containerId,
  interfaceName,
  network,
  workload,
}: HostInterfaceOwner): string {
  return `${MARK} ${containerId} ${interfaceName} ${network} ${workload}`.slice(0, ALIAS_BYTES);
}

/** The owner that an alias names, or `undefined` for an alias that podwire did not write. */
export function parseHostInterfaceAlias(alias: string | undefined): HostInterfaceOwner | undefined {
  const [mark, containerId, interfaceName, network, workload = ''] = (alias ?? '').split(' ');
  if (mark !== MARK || containerId === undefined || interfaceName === undefined || network === undefined)
    return undefined;
  return { containerId, interfaceName, network, workload };
}

/** True if an alias names this attachment. Container id and interface name stand before the place where a long alias is cut. */
export function isSameAttachment(
  owner: Pick<HostInterfaceOwner, 'containerId' | 'interfaceName'>,
  { containerId, interfaceName }: Pick<HostInterfaceOwner, 'containerId' | 'interfaceName'>,
): boolean {
  return owner.containerId === containerId && owner.interfaceName === interfaceName;
}

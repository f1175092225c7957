/** Who a host interface belongs to, as it stands in the interface's alias. */
export interface HostInterfaceOwner {
  readonly containerId: string;
  readonly interfaceName: string;
  /** "<namespace>/<pod>", or empty for an attachment without a pod. Cut where the alias ends. */
  readonly workload: string;
}

const MARK = 'podwire';
const ALIAS_BYTES = 255;

/**
 * The alias that names a host interface's owner: `podwire <containerID> <interface> <namespace>/<pod>`.
 *
 * It travels with the interface, so it can neither be lost with a file nor outlive the interface. All its parts are ASCII.
 *
 * @see linux/if.h, IFALIASZ: 256 bytes with the closing NUL
 */
export function formatHostInterfaceAlias({ containerId, interfaceName, workload }: HostInterfaceOwner): string {
  return `${MARK} ${containerId} ${interfaceName} ${workload}`.slice(0, ALIAS_BYTES);
}

/** The owner that an alias names, or `undefined` for an alias that podwire did not write. */
export function parseHostInterfaceAlias(alias: string | undefined): HostInterfaceOwner | undefined {
  const [mark, containerId, interfaceName, workload = ''] = (alias ?? '').split(' ');
  if (mark !== MARK || containerId === undefined || interfaceName === undefined) return undefined;
  return { containerId, interfaceName, workload };
}

/** True if `owner`, read from an alias that may have been cut, is the same attachment. */
export function isSameAttachment(owner: HostInterfaceOwner | undefined, wanted: HostInterfaceOwner): boolean {
  const read = parseHostInterfaceAlias(formatHostInterfaceAlias(wanted));
  return owner !== undefined && owner.containerId === read?.containerId && owner.interfaceName === read.interfaceName;
}

import { CniError, ERROR_CODE } from './error.ts';
import { quote } from '../json/quote.ts';

declare const brand: unique symbol;

/** CNI_CONTAINERID, which is safe as part of a file name. */
export type ContainerId = string & { readonly [brand]: 'ContainerId' };

/** CNI_IFNAME, which the kernel keeps unchanged. */
export type InterfaceName = string & { readonly [brand]: 'InterfaceName' };

/** Identifies one attachment to a network: the container, and the name of its interface. */
export interface AttachmentId {
  readonly containerId: ContainerId;
  readonly interfaceName: InterfaceName;
}

// Together with an interface name it becomes a file name, which can have 255 bytes on Linux.
const MAX_ID_LENGTH = 200;

/**
 * Parses a container id: at most 200 letters, digits, `_`, `.` and `-`. The first one is a letter or a digit.
 *
 * @throws {CniError} invalidEnvironment (4)
 * @see SPEC.md 1.1.0, section 2, Parameters. podwire adds the limit.
 */
export function parseContainerId(value: string): ContainerId {
  if (isCniName(value)) return value as ContainerId;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    `CNI_CONTAINERID: expected 1 to ${MAX_ID_LENGTH} letters, digits, "_", "." and "-", the first a letter or digit, ` +
      `got ${quote(value)}`,
  );
}

/** Checks the characters and the length of a container id or a network name. */
export function isCniName(value: string): boolean {
  return value.length <= MAX_ID_LENGTH && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value);
}

/**
 * Parses an interface name that the kernel keeps unchanged: 1 to 15 visible ASCII characters except `/`, `:` and `%`.
 *
 * @throws {CniError} invalidEnvironment (4)
 * @see SPEC.md 1.1.0, section 2, Parameters. podwire also rejects `%`, because the kernel expands `eth%d` to the next
 *   free name; `all` and `default`, which below /proc/sys/net are not interfaces; and characters outside ASCII,
 *   because the kernel takes some of their bytes for spaces.
 */
export function parseInterfaceName(value: string): InterfaceName {
  if (isInterfaceName(value)) return value as InterfaceName;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    'CNI_IFNAME: expected 1 to 15 visible ASCII characters without "/", ":" and "%", ' +
      `and not ".", "..", "all" or "default", got ${quote(value)}`,
  );
}

/** True if the kernel keeps the name of an interface unchanged. */
export function isInterfaceName(value: string): boolean {
  return /^[!-$&-.0-9;-~]{1,15}$/.test(value) && !['.', '..', 'all', 'default'].includes(value);
}

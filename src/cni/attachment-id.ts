import { CniError, ERROR_CODE } from './error.ts';
import { quote } from '../json/quote.ts';

declare const brand: unique symbol;

/** CNI_CONTAINERID, safe as a part of a file's name. */
export type ContainerId = string & { readonly [brand]: 'ContainerId' };

/** CNI_IFNAME, which the kernel takes unchanged. */
export type InterfaceName = string & { readonly [brand]: 'InterfaceName' };

/** What a runtime means by one attachment of a network: a container, and its interface on it. */
export interface AttachmentId {
  readonly containerId: ContainerId;
  readonly interfaceName: InterfaceName;
}

// Together with an interface's name it becomes the name of one file, of which Linux takes 255 bytes.
const MAX_ID_LENGTH = 200;

/**
 * A container's id as a `ContainerId`: letters, digits, `_`, `.` and `-`, the first a letter or digit; at most 200.
 *
 * @throws {CniError} 4
 * @see SPEC.md 1.1.0, section 2, Parameters. The limit is our addition.
 */
export function parseContainerId(value: string): ContainerId {
  if (isCniName(value)) return value as ContainerId;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    `CNI_CONTAINERID is ${quote(value)}; it must be 1 to ${MAX_ID_LENGTH} letters, digits, "_", "." and "-", and begin with a letter or digit`,
  );
}

/** True for what container ids and network names may be. */
export function isCniName(value: string): boolean {
  return value.length <= MAX_ID_LENGTH && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value);
}

/**
 * An interface's name as one that the kernel takes unchanged: 1-15 visible ASCII characters, none of `/`, `:` and `%`.
 *
 * @throws {CniError} 4
 * @see SPEC.md 1.1.0, section 2, Parameters. Our additions: `%`, since the kernel expands `eth%d` to the next free name; `all` and
 *   `default`, which are no interfaces below /proc/sys/net; characters beyond ASCII, of which the kernel takes some bytes for spaces.
 */
export function parseInterfaceName(value: string): InterfaceName {
  if (isInterfaceName(value)) return value as InterfaceName;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    `CNI_IFNAME is ${quote(value)}; it must be 1 to 15 visible ASCII characters without "/", ":" and "%", and none of ".", "..", "all", "default"`,
  );
}

/** True for what the kernel takes as an interface's name. */
export function isInterfaceName(value: string): boolean {
  return /^[!-$&-.0-9;-~]{1,15}$/.test(value) && !['.', '..', 'all', 'default'].includes(value);
}

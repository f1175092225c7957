import { isInterfaceName } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { quote } from '../json/quote.ts';

/** The prefix by which the agent recognizes the host interfaces of pods, unless it is configured with another one. */
export const DEFAULT_HOST_INTERFACE_PREFIX = 'cali';

// The part after the prefix: the first hexadecimal digits of a hash.
const HASH_OF_FULL_LENGTH = '0'.repeat(11);

/**
 * Parses the prefix of the names of host interfaces: the first entry of FELIX_INTERFACEPREFIX, a comma-separated list
 * that the agent reads too.
 *
 * @throws {CniError} invalidEnvironment (4) for a prefix that is empty, longer than 4 characters or not valid in an
 *   interface name
 */
export function parseHostInterfacePrefix(list: string): string {
  if (list === '') return DEFAULT_HOST_INTERFACE_PREFIX;
  const [first = ''] = list.split(',', 1);
  const prefix = first.trim();
  if (prefix !== '' && isInterfaceName(`${prefix}${HASH_OF_FULL_LENGTH}`)) return prefix;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    'FELIX_INTERFACEPREFIX: expected 1 to 4 visible ASCII characters without "/", ":" and "%" as its first prefix, ' +
      `got ${quote(prefix)}; set the same value for the container runtime and the agent`,
  );
}

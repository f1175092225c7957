import { isInterfaceName } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import { quote } from '../json/quote.ts';

/** The prefix that the agent knows a pod's host interface by, where it is told no other. */
export const DEFAULT_HOST_INTERFACE_PREFIX = 'cali';

// What comes behind it: the first hexadecimal digits of a hash.
const MAX_REST_LENGTH = '0'.repeat(11);

/**
 * The prefix of host interfaces' names: the first entry of FELIX_INTERFACEPREFIX, a list with commas that the agent reads too.
 *
 * @throws {CniError} 4 for one that is empty, longer than 4 characters or no part of an interface's name
 */
export function parseHostInterfacePrefix(list: string): string {
  if (list === '') return DEFAULT_HOST_INTERFACE_PREFIX;
  const [first = ''] = list.split(',', 1);
  const prefix = first.trim();
  if (prefix !== '' && isInterfaceName(`${prefix}${MAX_REST_LENGTH}`)) return prefix;
  throw new CniError(
    ERROR_CODE.invalidEnvironment,
    `FELIX_INTERFACEPREFIX has ${quote(prefix)} as its first prefix; it must be 1 to 4 visible ASCII characters without "/", ":" and "%", ` +
      'and be set alike for the container runtime and the agent',
  );
}

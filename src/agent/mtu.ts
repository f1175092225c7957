import { readFileSync } from 'node:fs';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { errnoOf, isTooManyOpenFiles, messageOf } from '../system/error-text.ts';

/** The file to which the agent writes the MTU for the node's networks and encapsulation. */
export const MTU_FILE = '/var/lib/calico/mtu';

/**
 * The MTU of both ends in bytes: from the netconf, otherwise from the agent, otherwise `undefined`, the kernel's
 * default.
 *
 * The file is not read if the netconf has an MTU, so that an invalid file can be overridden.
 *
 * @throws {CniError} tryAgainLater (11) if the file is required and the agent has not written it yet, invalidConfig (7) if
 *   it does not contain an MTU
 */
export function readMtuBytes(
  config: Pick<NetworkConfig, 'mtuBytes' | 'requireMtuFile'>,
  file: string = MTU_FILE,
): number | undefined {
  if (config.mtuBytes !== undefined) return config.mtuBytes;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if (isTooManyOpenFiles(cause)) throw cause;
    if (!config.requireMtuFile) return undefined;
    // The runtime tries again. An MTU of 1500 would stay with the pod: on a smaller network its large packets get lost.
    const isMissing = errnoOf(cause) === 'ENOENT';
    throw new CniError(
      isMissing ? ERROR_CODE.tryAgainLater : ERROR_CODE.invalidConfig,
      isMissing
        ? `the agent has not written ${file} yet, for which require_mtu_file waits; check that the agent (calico-node) runs on this node, or set mtu in the netconf`
        : `cannot read the required file ${file}; correct its owner and mode, or set mtu in the netconf`,
      { details: messageOf(cause), cause, finding: 'PW502' },
    );
  }
  const mtuBytes = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (mtuBytes >= 68 && mtuBytes <= 65535) return mtuBytes;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `${file} does not contain an MTU of 68 to 65535 bytes; remove the file, or set mtu in the netconf`,
    {
      details: JSON.stringify(text.slice(0, 32)),
      finding: 'PW502',
    },
  );
}

import { readFileSync } from 'node:fs';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { messageOf } from '../system/error-text.ts';

/** Where the agent writes the MTU that fits the node's networks and encapsulation. */
const MTU_FILE = '/var/lib/calico/mtu';

/**
 * The MTU of both ends in bytes: the netconf's, else the agent's, else `undefined`, which is the kernel's default.
 *
 * The file is not looked at where the netconf has an MTU, so that a broken one can be overridden.
 *
 * @throws {CniError} 7 if the file holds no MTU, or is required and missing
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
    if (!config.requireMtuFile) return undefined;
    throw new CniError(
      ERROR_CODE.invalidConfig,
      `${file} is required and cannot be read; is the agent (calico-node) running here? Else set mtu in the netconf`,
      { details: messageOf(cause), cause },
    );
  }
  const mtuBytes = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (mtuBytes >= 68 && mtuBytes <= 65535) return mtuBytes;
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `${file} holds no MTU of 68 to 65535 bytes; remove it, or set mtu in the netconf`,
    {
      details: JSON.stringify(text.slice(0, 32)),
    },
  );
}

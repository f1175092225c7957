import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { messageOf } from '../system/error-text.ts';

/**
 * The name of the Node object of this machine: the netconf's, else what the agent wrote to its file, else, if that file is optional, the
 * lower-cased host name.
 *
 * @throws {CniError} 7 if the file is needed and has no name
 */
export function readNodeName(
  config: Pick<NetworkConfig, 'nodeName' | 'nodeNameFile' | 'nodeNameFileOptional'>,
): string {
  if (config.nodeName !== undefined) return config.nodeName;
  const { nodeNameFile: file } = config;
  let why = 'it is empty';
  let cause: unknown;
  try {
    const name = readFileSync(file, 'utf8').trim();
    if (name !== '') return name;
  } catch (error) {
    why = messageOf(error);
    cause = error;
  }
  if (config.nodeNameFileOptional) return hostname().toLowerCase();
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `this node's name is unknown: ${file} gives none; is the agent (calico-node) running here? ` +
      'Else set nodename in the netconf, or nodename_file_optional to use the host name',
    { details: why, cause },
  );
}

import { readFileSync } from 'node:fs';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { loadBuiltin } from '../system/node-process.ts';
import { isTooManyOpenFiles, messageOf } from '../system/error-text.ts';

/**
 * The name of this machine's Kubernetes Node: `nodename` of the netconf, otherwise what the file that the agent has written
 * contains, otherwise `kubernetes.node_name` of the netconf, otherwise, if the file is optional, the host name in lower case.
 *
 * @throws {CniError} invalidConfig (7) if the file is needed and has no name
 */
export function readNodeName(
  config: Pick<NetworkConfig, 'nodeName' | 'nodeNameFile' | 'nodeNameFileOptional' | 'podCidrNodeName'>,
): string {
  if (config.nodeName !== undefined) return config.nodeName;
  const { nodeNameFile: file } = config;
  let why = 'it is empty';
  let cause: unknown;
  try {
    const name = readFileSync(file, 'utf8').trim();
    if (name !== '') return name;
  } catch (error) {
    if (isTooManyOpenFiles(error)) throw error;
    why = messageOf(error);
    cause = error;
  }
  if (config.podCidrNodeName !== undefined) return config.podCidrNodeName;
  if (config.nodeNameFileOptional) return loadBuiltin('node:os').hostname().toLowerCase();
  throw new CniError(
    ERROR_CODE.invalidConfig,
    `the name of this node is unknown: ${file} does not contain it; check that the agent (calico-node) runs on this node, ` +
      'set nodename in the netconf, or set nodename_file_optional to use the host name',
    { details: why, cause, finding: 'PW302' },
  );
}

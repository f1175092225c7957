import { parseNetworkConfig, parseNetworkHeader, type NetworkConfig } from '../../../src/netconf/network-config.ts';
import { netconf, type NetconfOverrides } from '../../lab/netconf.ts';

/** A valid network configuration, parsed, with `overrides`. */
export function networkConfig(overrides: NetconfOverrides = {}): NetworkConfig {
  return parseNetworkConfig(parseNetworkHeader(netconf(overrides)), {});
}

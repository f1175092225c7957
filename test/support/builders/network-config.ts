import type { JsonObject } from '../../../src/json/json.ts';
import { parseNetworkConfig, parseNetworkHeader, type NetworkConfig } from '../../../src/netconf/network-config.ts';

/** The text of a valid network configuration as an object, special only where `overrides` says so. */
export function netconf(overrides: JsonObject = {}): JsonObject {
  return {
    cniVersion: '1.0.0',
    name: 'k8s-pod-network',
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: 'node-1',
    kubernetes: { kubeconfig: '/etc/cni/net.d/podwire-kubeconfig' },
    ipam: { type: 'host-local', subnet: 'usePodCidr' },
    ...overrides,
  };
}

/** The same, parsed. */
export function networkConfig(overrides: JsonObject = {}): NetworkConfig {
  return parseNetworkConfig(parseNetworkHeader(netconf(overrides)), {});
}

import type { JsonObject } from '../../src/cni/json.ts';
import { parseNetworkConfig, type NetworkConfig } from '../../src/cni/network-config.ts';

/** The text of a valid network configuration as an object, special only where `bent` says so. */
export function netconf(bent: JsonObject = {}): JsonObject {
  return {
    cniVersion: '1.0.0',
    name: 'k8s-pod-network',
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: 'node-1',
    kubernetes: { kubeconfig: '/etc/cni/net.d/podwire-kubeconfig' },
    ipam: { type: 'host-local', subnet: 'usePodCidr' },
    ...bent,
  };
}

/** The same, parsed. */
export function networkConfig(bent: JsonObject = {}): NetworkConfig {
  return parseNetworkConfig(netconf(bent), {});
}

import type { JsonObject, JsonValue } from '../../../src/json/json.ts';

/** A valid network configuration as a runtime sends it, special only where `overrides` says so; `undefined` takes a key away. */
export function aNetworkConfig(overrides: Readonly<Record<string, JsonValue | undefined>> = {}): JsonObject {
  const members: Readonly<Record<string, JsonValue | undefined>> = {
    cniVersion: '1.0.0',
    name: 'pod-network',
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: 'node-1',
    ipam: { type: 'host-local', subnet: 'usePodCidr' },
    kubernetes: { kubeconfig: '/etc/cni/net.d/podwire-kubeconfig' },
    ...overrides,
  };
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}

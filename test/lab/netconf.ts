import type { JsonObject, JsonValue } from '../../src/json/json.ts';

/** Members of a network configuration; `undefined` removes one. */
export type NetconfOverrides = Readonly<Record<string, JsonValue | undefined>>;

/** A valid network configuration, as a runtime sends it, with `overrides`. */
export function netconf(overrides: NetconfOverrides = {}): JsonObject {
  const members: NetconfOverrides = {
    cniVersion: '1.0.0',
    name: 'k8s-pod-network',
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

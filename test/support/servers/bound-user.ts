import { PATCH_PODS_STATUS, untilAllowed, type ResourceAttributes } from '../../lab/api-server/access-review.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';

interface Binding {
  readonly role: string;
  /** What the role allows: it is in force once the user is allowed this. */
  readonly allowed: ResourceAttributes;
}

/** The role that `createPluginAccount` has made, with what the plugin needs and no more. */
const PLUGIN: Binding = { role: 'podwire', allowed: PATCH_PODS_STATUS };

/** Binds a user to a cluster role, and waits until the API server allows it what the role allows. */
export async function bindUser({ admin }: Cluster, user: string, { role, allowed }: Binding = PLUGIN): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await admin.create(`/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { name: `podwire-${user}` },
    subjects: [{ kind: 'User', name: user, apiGroup }],
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  });
  await untilAllowed(admin, user, allowed);
}

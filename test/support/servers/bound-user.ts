import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { member } from '../nodes/test-pod.ts';

interface Binding {
  readonly role: string;
  /** What the role allows: it has come into force when this has. */
  readonly allowed: { readonly verb: string; readonly resource: string; readonly subresource?: string };
}

/** The role that `createPluginAccount` has made, with what the plugin needs and no more. */
const PLUGIN: Binding = { role: 'podwire', allowed: { verb: 'patch', resource: 'pods', subresource: 'status' } };

/** Binds a user to a cluster role. Returns once the API server allows it what that role does. */
export async function bindUser({ admin }: Cluster, user: string, { role, allowed }: Binding = PLUGIN): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await admin.create(`/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { name: `podwire-${user}` },
    subjects: [{ kind: 'User', name: user, apiGroup }],
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  });
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const review = { spec: { user, resourceAttributes: allowed } };
    const answer = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    if (member(answer, 'status', 'allowed') === true) return;
    if (Date.now() > deadlineMs) throw new Error(`the API server does not let ${user} do what the role ${role} allows`);
    await delay(10);
  }
}

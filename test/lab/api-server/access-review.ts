import { member } from '../member.ts';
import { until } from '../until.ts';
import type { ApiClient } from './api-client.ts';

/** An action of a user, as a SubjectAccessReview describes it. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The last permission in the plugin's role: a user that has this one has all of them. */
export const PATCH_PODS_STATUS = { verb: 'patch', resource: 'pods', subresource: 'status' } as const;

/**
 * Resolves when the API server permits the action to the user: the authorizer sees a new role binding a moment after
 * it was created, and the server answers 403 until then.
 */
export async function untilAllowed(admin: ApiClient, user: string, attributes: ResourceAttributes): Promise<void> {
  const review = { spec: { user, resourceAttributes: attributes } };
  await until(`${user} is allowed ${JSON.stringify(attributes)}`, async () => {
    const answer = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    return member(answer, 'status', 'allowed') === true;
  });
}

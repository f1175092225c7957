import { member } from '../member.ts';
import { until } from '../until.ts';
import type { ApiClient } from './api-client.ts';

/** What a user wants to do, as a SubjectAccessReview names it. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The last right that the plugin's role has: once a user has this one, it has all of them. */
export const PATCH_PODS_STATUS = { verb: 'patch', resource: 'pods', subresource: 'status' } as const;

/**
 * Resolves once the API server allows it to the user: the authorizer sees a new role binding a moment after it was created,
 * and answers 403 until then.
 */
export async function untilAllowed(admin: ApiClient, user: string, attributes: ResourceAttributes): Promise<void> {
  const review = { spec: { user, resourceAttributes: attributes } };
  await until(`${user} is allowed ${JSON.stringify(attributes)}`, async () => {
    const answer = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
    return member(answer, 'status', 'allowed') === true;
  });
}

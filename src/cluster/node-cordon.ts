import { isAbsent, parseAnswer } from './api-answer.ts';
import { openApiClient, type ApiClientOptions } from './api-client.ts';
import { pathPart, quoteName } from './object-name.ts';
import type { Deadline } from './wire/deadline.ts';
import { BOOLEAN } from '../json/shapes.ts';

/**
 * Whether the administrator has announced that the Node gets no new pods (`kubectl cordon`), or has deleted it.
 *
 * @throws {CniError} tryAgainLater (11) or apiRefused (100) if the API server fails or refuses
 * @see https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/ (spec.unschedulable)
 */
export async function isNodeCordoned(options: ApiClientOptions, name: string, deadline: Deadline): Promise<boolean> {
  using client = openApiClient(options);
  const purpose = { verb: 'get', resource: 'nodes', object: `node ${quoteName(name)}` } as const;
  const request = { purpose, path: `/api/v1/nodes/${pathPart(name)}` };
  const answer = await client.send(request, deadline);
  if (isAbsent(answer, name)) return true;
  return parseAnswer(answer, request, (node) => node.requireObject('spec').read('unschedulable', BOOLEAN) ?? false);
}

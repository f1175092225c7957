import { parseAnswer } from '../../cluster/api-answer.ts';
import type { ApiClient } from '../../cluster/api-client.ts';
import type { Deadline } from '../../cluster/wire/deadline.ts';
import { quoteForShell } from '../../diagnosis/check-runtime.ts';
import type { JsonReader } from '../../json/json-reader.ts';
import { NON_EMPTY_STRING } from '../../json/shapes.ts';

/**
 * The command that exempts the account of the plugin from the webhook that refused a request. `undefined` if the webhook
 * is not found, or these credentials may not read it.
 *
 * @param refusal the message of the API server
 * @param account `kube-system/podwire`
 */
export async function findExemption(
  client: ApiClient,
  refusal: string,
  account: string | undefined,
  deadline: Deadline,
): Promise<string | undefined> {
  const [, name] = /webhook \\?"([^"\\]+)\\?"/.exec(refusal) ?? [];
  if (name === undefined || account === undefined) return undefined;
  const user = `system:serviceaccount:${account.replace('/', ':')}`;
  for (const resource of ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'] as const) {
    const found = await findWebhook(client, resource, name, deadline);
    if (found === undefined) continue;
    const condition = { name: 'not-podwire', expression: `request.userInfo.username != "${user}"` };
    const path = `/webhooks/${found.index}/matchConditions`;
    const value = found.hasConditions ? condition : [condition];
    const patch = [{ op: 'add', path: found.hasConditions ? `${path}/-` : path, value }];
    return `kubectl patch ${resource} ${found.configuration} --type=json -p ${quoteForShell(JSON.stringify(patch))}`;
  }
  return undefined;
}

interface FoundWebhook {
  readonly configuration: string;
  readonly index: number;
  readonly hasConditions: boolean;
}

async function findWebhook(
  client: ApiClient,
  resource: string,
  name: string,
  deadline: Deadline,
): Promise<FoundWebhook | undefined> {
  const request = {
    purpose: { verb: 'get', resource, object: `all ${resource}` },
    path: `/apis/admissionregistration.k8s.io/v1/${resource}`,
  } as const;
  try {
    return parseAnswer(await client.send(request, deadline), request, (list) => find(list, name));
  } catch {
    return undefined;
  }
}

function find(list: JsonReader, name: string): FoundWebhook | undefined {
  for (const item of list.readObjects('items')) {
    const webhooks = item.readObjects('webhooks');
    const index = webhooks.findIndex((webhook) => webhook.read('name', NON_EMPTY_STRING) === name);
    if (index < 0) continue;
    const configuration = item.requireObject('metadata').require('name', NON_EMPTY_STRING);
    return { configuration, index, hasConditions: (webhooks[index]?.readObjects('matchConditions').length ?? 0) > 0 };
  }
  return undefined;
}

import type { CniRequest } from '../cni/request.ts';
import { planRelease } from '../plan/delegation.ts';
import { openApiShare } from './api-share.ts';
import { detach } from './detach.ts';
import type { Effects } from './effects.ts';
import { clearEndpoint, endpointPod } from './endpoint.ts';
import { planHostInterface } from './host-interface.ts';
import { openRemainingSandbox } from './sandbox.ts';
import { underWay } from './under-way.ts';

type DelRequest = Extract<CniRequest, { verb: 'DEL' }>;

/**
 * Takes an attachment down: link, lease, endpoint. Sandbox, pod, API and prevResult may be gone, and it may have been taken down before.
 *
 * The node comes first and alone decides the outcome: what is left of the endpoint keeps no address and no interface, while a DEL that
 * fails for the API's sake would keep the pod from being deleted for as long as the API is away.
 *
 * @throws {CniError} only if a link or a lease remains
 * @see SPEC.md 1.1.0, section 2, DEL
 */
export async function del(request: DelRequest, effects: Effects): Promise<void> {
  const { config, attachment, args } = request;
  const { cluster, log, signal } = effects;
  for (const setting of request.ignored) log.warning(`ignored, to take down what can be taken down: ${setting}`);

  const owner = endpointPod(request);
  const api = openApiShare(config.budgets.delApiMs, signal);
  const reading = owner && underWay(api.spend((deadline) => cluster.readPod(owner, deadline))); // the kernel takes as long to delete a link
  using sandbox = openRemainingSandbox(request, effects);
  const planned = planHostInterface(config.hostInterfacePrefix, attachment, args.pod);
  const listed =
    config.prevResult?.interfaces.filter((link) => link.sandbox === undefined).map(({ name }) => name) ?? [];
  await detach(
    { attachment, sandbox, hostInterfaces: [planned.name, ...listed], release: planRelease(config) },
    effects,
  );

  if (owner === undefined || reading === undefined) return;
  try {
    const pod = await reading;
    await api.spend((deadline) => clearEndpoint(request, pod, cluster, deadline));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warning(
      `the endpoint of pod ${owner.namespace}/${owner.name} stays until the API can be asked, the node is clean: ${why}`,
    );
  }
}

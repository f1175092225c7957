import type { DelRequest } from '../netconf/request.ts';
import type { Pod } from '../cluster/pod.ts';
import { planLookup } from '../plan/delegation.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { deleteLinks, findLinks } from '../attachment/detach.ts';
import type { Effects } from '../attachment/effects.ts';
import { clearEndpoint, endpointPod } from '../attachment/endpoint.ts';
import { planHostInterface } from '../attachment/host-interface.ts';
import { finishPendingEndpoints } from '../attachment/pending-endpoints.ts';
import { marksOf } from '../attachment/cleanup.ts';
import { openRemainingSandbox } from '../attachment/sandbox.ts';
import { yieldToEventLoop, inBackground } from '../attachment/in-background.ts';

/**
 * Takes an attachment down: link, lease, endpoint. Sandbox, pod, API, prevResult and the configuration of its ADD may be gone, and it may
 * have been taken down before.
 *
 * The node comes first and alone decides the outcome: what is left of the endpoint keeps no address and no interface, while a DEL that
 * fails for the API's sake would keep the pod from being deleted for as long as the API is away.
 *
 * Link before the rest: an address that is released, or whose endpoint is gone, while a link still carries it is one that no policy watches.
 *
 * @throws {CniError} only if a link or a lease remains
 * @see SPEC.md 1.1.0, section 2, DEL
 */
export async function del(request: DelRequest, effects: Effects): Promise<void> {
  const { config, attachment, args, sandboxPath = '' } = request;
  const { cluster, delegate, journal, log, signal } = effects;
  for (const setting of request.ignored) log.warning(`ignored, to take down what can be taken down: ${setting}`);

  journal.tidy();
  const found = journal.find(attachment);
  const record = found === 'damaged' ? undefined : found;
  const marks = found === 'damaged' ? await marksOf(attachment, config, effects) : [];
  if (found === 'damaged') {
    const { containerId, interfaceName } = attachment;
    log.warning(`the record of container ${containerId}, ${interfaceName}, is damaged: DEL goes by what it is told`);
  }
  // An ADD that is at work looks for its record before it prints: without one it undoes what it has done.
  if (record !== undefined && journal.isInProgress(record)) journal.remove(attachment);
  else if (record?.stage === 'attaching') await delegate.endOrphaned(record.release.type, attachment);
  else if (record?.stage === 'attached') journal.markDetaching(attachment, record);
  const pod = args.pod ?? record?.pod ?? marks[0]?.pod;
  const endpointRequest = { attachment, config, args: { ...args, pod, podUid: args.podUid ?? record?.podUid } };
  const owner = endpointPod(endpointRequest);
  using sandbox = openRemainingSandbox(request, effects);
  // The record's name is the one that was made: the configuration's prefix may be another by now.
  const hostInterface = record?.hostInterface ?? planHostInterface(config, attachment, pod).name;
  const listed =
    config.prevResult?.interfaces.filter((link) => link.sandbox === undefined).map(({ name }) => name) ?? [];
  const hostInterfaces = [hostInterface, ...listed, ...marks.map(({ name }) => name)];
  const release = record?.release ?? planLookup(config);
  const target = {
    attachment,
    sandboxPath: sandbox?.path ?? '', // plugins in Go open what is there, and would wait for ever for a FIFO's writer
    cniArgs: args.pod === undefined ? (record?.cniArgs ?? args.raw) : args.raw,
  };
  const unmarked = record?.stage === 'attaching' ? 'ours' : 'foreign';
  const onNode = { target, sandbox, hostInterfaces, unmarked, release } as const;
  const unlinking = inBackground(deleteLinks(await findLinks(onNode, effects), onNode, effects));
  const api = openApiBudget(config.budgets.delApiMs, signal);
  // The kernel takes as long to delete a link as the API to be connected to and to answer.
  const reading = owner && inBackground(api.spend((deadline) => cluster.readPod(owner, deadline)));
  await unlinking;
  // Nothing carries the address any more: lease and endpoint go at the same time.
  const clear = (read: Pod | 'absent') =>
    api.spend((deadline) => clearEndpoint(endpointRequest, read, cluster, deadline));
  const clearing = reading && inBackground(reading.then(clear));
  await yieldToEventLoop();
  await delegate.del(release, target);

  if (owner === undefined || clearing === undefined) return journal.remove(attachment);
  try {
    await clearing;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warning(
      `the node is clean; the endpoint of pod ${owner.namespace}/${owner.name} is cleared by a later command: ${why}`,
    );
    const { podUid } = endpointRequest.args;
    journal.keepEndpoint(attachment, {
      sandboxPath,
      hostInterface,
      cniArgs: args.raw,
      pod: owner,
      podUid,
      release,
    });
    return;
  }
  journal.remove(attachment);
  await finishPendingEndpoints(config, api, effects);
}

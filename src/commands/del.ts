import { bothSettled } from '../attachment/both-settled.ts';
import { deleteLinks, findLinks, finishSuperseded, stopPredecessor } from '../attachment/detach.ts';
import type { Effects } from '../attachment/effects.ts';
import { attemptToClearEndpoint } from '../attachment/endpoint.ts';
import { findKnownAttachment } from '../attachment/find-known.ts';
import { inBackground } from '../attachment/in-background.ts';
import { finishPendingEndpoints, keepEndpoint } from '../attachment/pending-endpoints.ts';
import { openRemainingSandbox } from '../attachment/sandbox.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { DelRequest } from '../netconf/request.ts';
import { planDetachment } from '../plan/detachment.ts';
import { sha1 } from '../system/sha1.ts';

/**
 * Removes an attachment: link, lease, endpoint. Sandbox, pod, API, prevResult and the configuration of its ADD may be gone, and it may have
 * been removed before.
 *
 * The node comes first and decides the outcome: a remaining endpoint keeps no address and no interface, while a DEL that fails because of
 * the API would keep the pod from being deleted for as long as the API is not available.
 *
 * The link comes before the rest: while a link still has an address that is released, or whose endpoint is cleared, no policy covers it.
 *
 * @throws {CniError} only if a link or a lease remains
 * @see SPEC.md 1.1.0, section 2, DEL
 */
export async function del(request: DelRequest, effects: Effects): Promise<void> {
  const { config } = request;
  const { delegate, journal, log } = effects;
  for (const setting of request.ignored) log.warning(`ignoring an invalid setting during DEL: ${setting}`);
  journal.tidy();
  const detachment = planDetachment(request, await findKnownAttachment(request, effects), sha1);
  const { attachment } = detachment;
  const predecessor = await stopPredecessor(detachment, effects);
  using sandbox = await openRemainingSandbox(request, effects);
  const links = await findLinks(detachment, sandbox, effects);

  const api = openApiBudget(effects.cluster, config.budgets.delApiMs, effects.signal);
  const { promise: gone, resolve: onGone } = Promise.withResolvers<void>();
  const deletion = inBackground(deleteLinks(links, detachment, effects, onGone));
  const removal = inBackground(Promise.race([gone, deletion]));
  const rest = bothSettled(
    removal.then(() => delegate.del({ ...attachment, sandboxPath: sandbox?.path ?? '' })),
    attemptToClearEndpoint(attachment, api, removal, effects),
  );
  const [[, clearing]] = await bothSettled(rest, deletion);
  const isNeeded = predecessor === 'superseded' && (await finishSuperseded(attachment, effects)) === 'left';
  if (clearing.kind === 'pending') {
    return keepEndpoint(attachment, { why: clearing.why, record: isNeeded ? 'needed' : 'done' }, effects);
  }
  if (!isNeeded) journal.remove(attachment);
  if (clearing.kind === 'cleared') await finishPendingEndpoints(api, effects);
}

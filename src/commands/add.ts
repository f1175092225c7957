import { cleanUpBeforeAdd } from '../attachment/cleanup.ts';
import { readClusterFacts } from '../attachment/cluster-facts.ts';
import { detach } from '../attachment/detach.ts';
import type { Effects } from '../attachment/effects.ts';
import { withdrawEndpoint } from '../attachment/endpoint.ts';
import { replaceHostInterface } from '../attachment/host-interface.ts';
import { inBackground } from '../attachment/in-background.ts';
import { warnAboutGateway } from '../attachment/gateway.ts';
import { assertNotAddressOfNode } from '../attachment/lease-conflict.ts';
import { allocateLease } from '../attachment/leases.ts';
import { createLinkAndEndpoint } from '../attachment/link-and-endpoint.ts';
import { waitForPolicy } from '../attachment/policy.ts';
import { openEmptySandbox } from '../attachment/sandbox.ts';
import { beginAttachment } from '../attachment/undo.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { formatResult } from '../cni/result.ts';
import type { AttachmentRequest } from '../netconf/request.ts';
import { planLoopbackRouting } from '../plan/attachment-steps.ts';
import { attachmentFromRequest } from '../plan/attachment.ts';
import { planUndo } from '../plan/detachment.ts';
import { assertMtuFitsAddresses } from '../plan/mtu.ts';
import { planResult } from '../plan/result.ts';
import { sha1 } from '../system/sha1.ts';

/**
 * Attaches a sandbox to the network and prints the result. If anything fails, printing included, what was done is undone in reverse order.
 *
 * First everything that this node can reject is rejected. Then the record is written, and from there on each effect follows its undo. The
 * API server is asked meanwhile.
 *
 * @throws {CniError} the first cause
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function add(request: AttachmentRequest, effects: Effects): Promise<void> {
  const { config } = request;
  const attachment = attachmentFromRequest(request, sha1);
  if (attachment.pod === undefined) effects.log.warning('CNI_ARGS names no pod: a plain network without policies');
  const api = openApiBudget(effects.cluster, config.budgets.addApiMs, effects.signal);
  // Start now: the TLS handshake and the response take longer than everything up to the lease.
  const reading = inBackground(readClusterFacts(attachment, config, api, effects.agent));
  await cleanUpBeforeAdd(attachment.id, config, effects);
  using prepared = effects.delegate.prepareAdd(config.delegateType, attachment);
  using sandbox = await openEmptySandbox(request, effects);
  const mtuBytes = effects.agent.mtuBytes();
  const routesLoopback = planLoopbackRouting(config, effects.agent.isPresent());
  await effects.agent.waitUntilReady(effects.signal);

  await using undo = beginAttachment(attachment, effects);
  undo.add('link and lease', () => detach(planUndo(attachment), effects));
  const { lease, pod, delegateType } = await allocateLease(attachment, config, reading, prepared, effects);
  assertMtuFitsAddresses(mtuBytes, lease.addresses);
  await assertNotAddressOfNode(lease, delegateType, effects);
  await replaceHostInterface(attachment, effects);
  undo.add('endpoint', () => withdrawEndpoint(attachment, config, effects));
  const facts = { attachment, config, pod, mtuBytes, routesLoopback, ...lease };
  const ends = await createLinkAndEndpoint(facts, sandbox, api, effects);
  await warnAboutGateway(effects, { ...ends, addresses: lease.addresses });
  await waitForPolicy(attachment, config, effects);
  const result = planResult({ config, sandboxPath: attachment.sandboxPath, ...ends, lease });
  await undo.commit(() => effects.output(JSON.stringify(formatResult(result, config.cniVersion))));
}

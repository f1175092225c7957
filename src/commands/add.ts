import { bothSettled } from '../attachment/both-settled.ts';
import { cleanUpBeforeAdd } from '../attachment/cleanup.ts';
import { readClusterFacts } from '../attachment/cluster-facts.ts';
import { detach } from '../attachment/detach.ts';
import type { Effects } from '../attachment/effects.ts';
import { publishEndpoint, withdrawEndpoint } from '../attachment/endpoint.ts';
import { replaceHostInterface } from '../attachment/host-interface.ts';
import { inBackground } from '../attachment/in-background.ts';
import { warnAboutGateway } from '../attachment/gateway.ts';
import { assertNotAddressOfNode } from '../attachment/lease-conflict.ts';
import { allocateLease } from '../attachment/leases.ts';
import { createLink } from '../attachment/link.ts';
import { waitForPolicy } from '../attachment/policy.ts';
import { openEmptySandbox } from '../attachment/sandbox.ts';
import { beginAttachment } from '../attachment/undo.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { formatResult } from '../cni/result.ts';
import type { AttachmentRequest } from '../netconf/request.ts';
import { planAttachmentSteps, planLoopbackRouting } from '../plan/attachment-steps.ts';
import { attachmentFromRequest } from '../plan/attachment.ts';
import { planAllocation } from '../plan/delegation.ts';
import { planUndo } from '../plan/detachment.ts';
import { assertMtuFitsAddresses } from '../plan/mtu.ts';
import { parseLease } from '../plan/lease.ts';
import { parsePodOverrides } from '../plan/pod-overrides.ts';
import { planResult } from '../plan/result.ts';
import { sha1 } from '../system/sha1.ts';

/**
 * Attaches a sandbox to the network and prints the result. If anything fails, printing included, what was done is undone in reverse order.
 *
 * First everything that can be rejected is rejected. Then the record is written, and from there on each effect follows its undo.
 *
 * @throws {CniError} the first cause
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function add(request: AttachmentRequest, effects: Effects): Promise<void> {
  const { config } = request;
  const attachment = attachmentFromRequest(request, sha1);
  if (attachment.pod === undefined) effects.log.warning('CNI_ARGS names no pod: a plain network without policies');
  const api = openApiBudget(effects.cluster, config.budgets.addApiMs, effects.signal);
  // Start now: the TLS handshake and the response take longer than everything up to the await below.
  const reading = inBackground(readClusterFacts(attachment.pod, config, api, effects.agent));
  await cleanUpBeforeAdd(attachment.id, config, effects);
  using sandbox = await openEmptySandbox(request, effects);
  effects.delegate.assertInstalled(config.delegateType);
  const linkSettings = {
    mtuBytes: effects.agent.mtuBytes(),
    routesLoopback: planLoopbackRouting(config, effects.agent.isPresent()),
  };
  await effects.agent.waitUntilReady(effects.signal);
  const { pod, node } = await reading;
  const { mac } = parsePodOverrides(pod?.annotations ?? {}, config);
  const allocation = planAllocation(config, node);

  await using undo = beginAttachment(attachment, effects);
  await replaceHostInterface(attachment, effects);
  undo.add('link and lease', () => detach(planUndo(attachment), effects));
  const lease = parseLease(await allocateLease(allocation, attachment, effects), allocation);
  assertMtuFitsAddresses(linkSettings.mtuBytes, lease.addresses);
  await assertNotAddressOfNode(lease, allocation.type, effects);
  const steps = planAttachmentSteps({ attachment, config, mac, ...linkSettings, ...lease });
  undo.add('endpoint', () => withdrawEndpoint(attachment, config, effects));
  // The API takes as long to write the endpoint as the kernel to create the link, and the agent accepts an endpoint whose link comes later.
  const [ends] = await bothSettled(
    createLink(steps, attachment, sandbox, effects),
    publishEndpoint(attachment, pod, lease.addresses, api),
  );
  await warnAboutGateway(effects, { ...ends, addresses: lease.addresses });
  await waitForPolicy(attachment, config, effects);
  const result = planResult({ config, sandboxPath: attachment.sandboxPath, ...ends, lease });
  await undo.commit(() => effects.output(JSON.stringify(formatResult(result, config.cniVersion))));
}

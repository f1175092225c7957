import type { ApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import type { Sandbox } from '../kernel/kernel.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planAttachmentSteps, type AttachmentFacts } from '../plan/attachment-steps.ts';
import type { Attachment } from '../plan/attachment.ts';
import { parsePodOverrides } from '../plan/pod-overrides.ts';
import type { MacAddress } from '../address/mac-address.ts';
import { bothSettled } from './both-settled.ts';
import type { Effects } from './effects.ts';
import { publishEndpoint } from './endpoint.ts';
import { withKernelErrors } from './kernel-errors.ts';
import { createLink, type LinkEnds } from './link.ts';

/** What link and endpoint depend on. */
export interface LinkAndEndpointFacts extends Omit<AttachmentFacts, 'mac'> {
  readonly attachment: Attachment;
  readonly config: NetworkConfig;
  /** The Pod, if it has been read. */
  readonly pod: Pod | undefined;
}

/**
 * Creates the link while the endpoint is written: the API takes as long as the kernel, and the agent accepts an endpoint whose link comes
 * later. Writing the endpoint returns the Pod. If it asks for another MAC address than the link has, the link is created again.
 *
 * @throws {CniError} invalidAnnotation (105) if the Pod asks for what it cannot have; and what {@link createLink} and
 *   {@link publishEndpoint} throw
 */
export async function createLinkAndEndpoint(
  facts: LinkAndEndpointFacts,
  sandbox: Sandbox,
  api: ApiBudget,
  effects: Pick<Effects, 'journal' | 'kernel' | 'log'>,
): Promise<LinkEnds> {
  const { attachment, config, addresses, pod } = facts;
  const create = (mac: MacAddress | undefined): Promise<LinkEnds> =>
    createLink(planAttachmentSteps({ ...facts, mac }), attachment, sandbox, effects);
  const { mac } = parsePodOverrides(pod?.annotations ?? {}, config);
  const [ends, published] = await bothSettled(create(mac), publishEndpoint(attachment, pod, addresses, api));
  const requested = parsePodOverrides(published?.annotations ?? {}, config);
  if (requested.mac === mac) return ends;
  await withKernelErrors('delete a link with another MAC address', () =>
    effects.kernel.deleteInterface('host', ends.hostInterface),
  );
  return create(requested.mac);
}

import type { Attachment } from '../cni/attachment.ts';
import { isSameAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { Delegation } from '../plan/delegation.ts';
import type { Sandbox } from '../kernel/kernel.ts';
import type { Effects } from './effects.ts';
import { inKernel } from './kernel-refusal.ts';

/** What of an attachment stands on the node. */
export interface AttachmentOnNode {
  readonly attachment: Attachment;
  /** `undefined`: the runtime has removed it, and with it the container interface. */
  readonly sandbox: Sandbox | undefined;
  /** The names that its host interface can have. One of another attachment is left alone. */
  readonly hostInterfaces: readonly string[];
  readonly release: Delegation;
}

/**
 * Takes an attachment off the node: link, then lease. Succeeds if there is nothing of it any more.
 *
 * Link before address: one released while a link still carries it can go to the next pod (plugins#666). So a link that cannot be deleted
 * keeps its lease.
 *
 * @throws {CniError} if the link or the lease remains
 */
export async function detach(
  { attachment, sandbox, hostInterfaces, release }: AttachmentOnNode,
  { kernel, delegate }: Pick<Effects, 'kernel' | 'delegate'>,
): Promise<void> {
  await inKernel(`delete interface ${attachment.interfaceName} of container ${attachment.containerId}`, async () => {
    for (const name of new Set(hostInterfaces)) {
      const found = await kernel.observeInterface('host', name);
      const owner = parseHostInterfaceAlias(found?.alias);
      if (isSameAttachment(owner, { ...attachment, workload: '' })) await kernel.deleteInterface('host', name);
    }
    // Also made by a plugin before this one, which left no alias.
    if (sandbox !== undefined) await kernel.deleteInterface(sandbox, attachment.interfaceName);
  });
  await delegate.del(release);
}

import type { DelegateTarget } from '../delegate/delegate.ts';
import type { AttachmentRecord } from '../journal/record.ts';
import type { Sandbox } from '../kernel/kernel.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import type { Delegation } from '../plan/delegation.ts';
import { isSameAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/** What of an attachment stands on the node. */
export interface Detachment {
  readonly target: DelegateTarget;
  /** `undefined`: the runtime has removed it, and with it the container interface. */
  readonly sandbox: Sandbox | undefined;
  /** The names that its host interface can have. One whose alias names another attachment is left alone. */
  readonly hostInterfaces: readonly string[];
  /** A host interface without an alias: one that an ADD was killed over has none yet, and so has one of a plugin before this one. */
  readonly unmarked: 'ours' | 'foreign';
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
export async function detach(onNode: Detachment, effects: Pick<Effects, 'kernel' | 'delegate'>): Promise<void> {
  const { target, release } = onNode;
  await deleteLinks(await findLinks(onNode, effects), onNode, effects);
  await effects.delegate.del(release, target);
}

/** An end of a veth pair; the other one goes with it. */
export interface Link {
  readonly where: Sandbox | 'host';
  readonly name: string;
}

/**
 * The links of an attachment that are there: its host interfaces, else the container interface, which a plugin before this one may have made.
 *
 * @throws {CniError} 101
 */
export async function findLinks(
  { target, sandbox, hostInterfaces, unmarked }: Detachment,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<readonly Link[]> {
  const { containerId, interfaceName } = target.attachment;
  const links: Link[] = [];
  await withKernelErrors(`find interface ${interfaceName} of container ${containerId}`, async () => {
    for (const name of new Set(hostInterfaces)) {
      const found = await kernel.observeInterface('host', name);
      const owner = parseHostInterfaceAlias(found?.alias);
      const isOurs = owner === undefined ? unmarked === 'ours' : isSameAttachment(owner, target.attachment);
      if (found?.linkKind === 'veth' && isOurs) links.push({ where: 'host', name });
    }
  });
  if (links.length === 0 && sandbox !== undefined) links.push({ where: sandbox, name: interfaceName });
  return links;
}

/**
 * Deletes links. The kernel takes its time for it, on another thread: the first one is on its way when this returns its promise.
 *
 * @throws {CniError} 101 if one remains
 */
export async function deleteLinks(
  links: readonly Link[],
  { target }: Pick<Detachment, 'target'>,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<void> {
  const { containerId, interfaceName } = target.attachment;
  await withKernelErrors(`delete interface ${interfaceName} of container ${containerId}`, async () => {
    for (const { where, name } of links) await kernel.deleteInterface(where, name);
  });
}

/**
 * The same for an attachment of which only the record is known. Its sandbox is not entered: by now the path can be a later container's, and
 * what is ours in it goes with the host interface.
 *
 * @throws {CniError} if the link or the lease remains
 */
export async function detachRecorded(
  attachment: AttachmentId,
  record: AttachmentRecord,
  effects: Pick<Effects, 'kernel' | 'delegate'>,
): Promise<void> {
  const { stage, sandboxPath, hostInterface, cniArgs, release } = record;
  const target = { attachment, sandboxPath, cniArgs };
  const unmarked = stage === 'attaching' ? 'ours' : 'foreign';
  if (stage === 'attaching') await effects.delegate.endOrphaned(release.type, attachment);
  await detach({ target, sandbox: undefined, hostInterfaces: [hostInterface], unmarked, release }, effects);
}

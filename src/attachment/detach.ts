import type { Sandbox } from '../kernel/kernel.ts';
import type { Detachment } from '../plan/detachment.ts';
import { isSameAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';

/**
 * Removes an attachment from the node: its links, then its lease. Succeeds if nothing of it is left.
 *
 * The link comes first: an address that is released while a link still has it can be given to the next pod (plugins#666). So a link that
 * cannot be deleted keeps its lease. The sandbox is not entered: its path can be another container's by now, and what is ours in it
 * goes with the host interface.
 *
 * @throws {CniError} if a link or the lease remains
 */
export async function detach(
  detachment: Detachment,
  effects: Pick<Effects, 'kernel' | 'delegate' | 'journal'>,
): Promise<void> {
  await stopPredecessor(detachment, effects);
  await deleteLinks(await findLinks(detachment, undefined, effects), detachment, effects);
  await effects.delegate.del(detachment.attachment);
}

/** Ends what the ADD of the attachment may still be doing, before anything is removed. */
export async function stopPredecessor(
  { attachment, predecessor }: Detachment,
  { delegate, journal }: Pick<Effects, 'delegate' | 'journal'>,
): Promise<void> {
  switch (predecessor) {
    case 'running':
      // It looks for its record before it prints the result, and without one it undoes its work.
      journal.remove(attachment.id);
      return;
    case 'killed':
      await delegate.endOrphaned(attachment);
      return;
    case 'finished':
      journal.markDetaching(attachment);
      return;
    case 'none':
      return;
    default:
      predecessor satisfies never;
  }
}

/** One end of a veth pair. Deleting it deletes the other end, too. */
export interface Link {
  readonly where: Sandbox | 'host';
  readonly name: string;
}

/**
 * The links of an attachment that exist: its host interfaces, else the container interface, which the previously installed plugin may have
 * created.
 *
 * @param sandbox `undefined`: it is gone, and the container interface with it
 * @throws {CniError} kernelRefused (101)
 */
export async function findLinks(
  detachment: Detachment,
  sandbox: Sandbox | undefined,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<readonly Link[]> {
  const { attachment, hostInterfaceNames, ifUnlabelled } = detachment;
  const links: Link[] = [];
  await withKernelErrors(`find ${describeInterface(detachment)}`, async () => {
    for (const name of hostInterfaceNames) {
      const found = await kernel.observeInterface('host', name);
      const owner = parseHostInterfaceAlias(found?.alias);
      const isOurs = owner === undefined ? ifUnlabelled === 'ours' : isSameAttachment(owner, attachment.id);
      if (found?.linkKind === 'veth' && isOurs) links.push({ where: 'host', name });
    }
  });
  if (links.length > 0 || sandbox === undefined) return links;
  return [{ where: sandbox, name: attachment.id.interfaceName }];
}

/**
 * Deletes links, each of which takes the kernel 13 to 25 ms on another thread.
 *
 * @throws {CniError} kernelRefused (101) if one remains
 */
export async function deleteLinks(
  links: readonly Link[],
  detachment: Detachment,
  { kernel }: Pick<Effects, 'kernel'>,
): Promise<void> {
  await withKernelErrors(`delete ${describeInterface(detachment)}`, async () => {
    for (const { where, name } of links) await kernel.deleteInterface(where, name);
  });
}

function describeInterface({ attachment: { id } }: Detachment): string {
  return `interface ${id.interfaceName} of container ${id.containerId}`;
}

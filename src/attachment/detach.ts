import type { JournalItem } from '../journal/journal.ts';
import type { Kernel, Sandbox } from '../kernel/kernel.ts';
import type { Attachment } from '../plan/attachment.ts';
import { planRecordedDetachment, type AttachmentStage, type Detachment } from '../plan/detachment.ts';
import { ownsAttachment, parseHostInterfaceAlias } from '../plan/host-interface-alias.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import { sha1 } from '../system/sha1.ts';
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

/**
 * Ends what the ADD of the attachment may still be doing, before anything is removed.
 *
 * @returns `superseded`: the ADD is running and undoes its work, see {@link finishSuperseded}
 */
export async function stopPredecessor(
  { attachment, predecessor }: Detachment,
  { delegate, journal }: Pick<Effects, 'delegate' | 'journal'>,
): Promise<'superseded' | 'ended'> {
  switch (predecessor) {
    case 'running':
      if (journal.supersede(attachment) === 'superseded') return 'superseded';
      journal.markDetaching(attachment);
      return 'ended';
    case 'killed':
      await delegate.endOrphaned(attachment);
      return 'ended';
    case 'finished':
      journal.markDetaching(attachment);
      return 'ended';
    case 'none':
      return 'ended';
    default:
      return predecessor satisfies never;
  }
}

/**
 * Ends the work of an ADD that this command has superseded, if it was killed in the meantime.
 *
 * @returns `left`: the ADD removes its record itself when it has undone its work, or has removed it
 * @throws {CniError} if a link or the lease remains
 */
export async function finishSuperseded(
  { id, network }: Attachment,
  effects: Pick<Effects, 'kernel' | 'delegate' | 'journal'>,
): Promise<'left' | 'finished'> {
  const { journal } = effects;
  const item = journal.find(id, network);
  if (item?.kind !== 'record' || item.record.stage !== 'superseded') return 'left';
  if (journal.isInProgress(item.record)) return 'left';
  await detach(planRecordedDetachment(item.record), effects);
  return 'finished';
}

/** One end of a veth pair, by the index that was observed. Deleting it deletes the other end, too. */
export interface Link {
  readonly where: Sandbox | 'host';
  readonly end: Pick<ObservedInterface, 'index' | 'name'>;
}

/**
 * Finds the links that provably belong to an attachment: the host interfaces whose alias names it, and unlabelled ones that `ifUnlabelled`
 * allows. If the host has no such interface, it is the veth in the sandbox whose peer has such an alias, or whose peer is unlabelled and has
 * the name that the previously installed plugin would have used. The path of a sandbox proves nothing: /proc/PID/ns/net can be another
 * pod's by now (kubernetes#100648).
 *
 * @param sandbox `undefined` if it is gone; the container interface is gone with it
 * @throws {CniError} kernelRefused (101)
 */
export async function findLinks(
  detachment: Detachment,
  sandbox: Sandbox | undefined,
  { journal, kernel }: Pick<Effects, 'journal' | 'kernel'>,
): Promise<readonly Link[]> {
  return withKernelErrors(`find ${describeInterface(detachment)}`, async () => {
    const links: Link[] = [];
    for (const name of detachment.hostInterfaceNames) {
      const end = await kernel.observeInterface('host', name);
      if (end !== undefined && isOurs(end, detachment, () => isOursUnlabelled(name, detachment, journal))) {
        links.push({ where: 'host', end });
      }
    }
    if (links.length > 0 || sandbox === undefined) return links;
    const peer = await findPeer(detachment.attachment.id.interfaceName, sandbox, kernel);
    if (peer === undefined) return [];
    return isOurs(peer, detachment, () => detachment.hostInterfaceNames.includes(peer.name))
      ? [{ where: 'host', end: peer }]
      : [];
  });
}

/** The host end of the veth pair whose other end has this name in the sandbox. */
async function findPeer(name: string, sandbox: Sandbox, kernel: Kernel): Promise<ObservedInterface | undefined> {
  const inside = await kernel.observeInterface(sandbox, name);
  if (inside?.linkKind !== 'veth' || inside.peerIndex === undefined) return undefined;
  const peer = await kernel.observeInterface('host', inside.peerIndex);
  return peer?.peerIndex === inside.index ? peer : undefined;
}

function isOurs(end: ObservedInterface, { attachment }: Detachment, ifUnlabelled: () => boolean): boolean {
  const owner = parseHostInterfaceAlias(end.alias);
  if (end.linkKind !== 'veth') return false;
  if (owner === undefined) return ifUnlabelled();
  return ownsAttachment(owner, { ...attachment.id, network: attachment.network }, sha1);
}

// A newer sandbox of the pod writes its record first, then creates an interface of the same name, and then labels it.
function isOursUnlabelled(
  name: string,
  { attachment, ifUnlabelled }: Detachment,
  journal: Effects['journal'],
): boolean {
  if (ifUnlabelled === 'foreign') return false;
  const isSuccessor = (item: JournalItem): boolean =>
    item.kind === 'record' &&
    item.id.containerId !== attachment.id.containerId &&
    item.record.attachment.hostInterface.name === name &&
    LIVING_STAGES.includes(item.record.stage);
  return !journal.list().some(isSuccessor);
}

const LIVING_STAGES: readonly AttachmentStage[] = ['attaching', 'returning', 'attached'];

/**
 * Deletes links, each of which takes the kernel 13 to 25 ms on another thread. By index, because a name can belong to the interface of a new
 * sandbox by now.
 *
 * @param onGone called as soon as none of them exists, which is earlier: see {@link Kernel.deleteInterface}
 * @throws {CniError} kernelRefused (101) if one remains
 */
export async function deleteLinks(
  links: readonly Link[],
  detachment: Detachment,
  { kernel }: Pick<Effects, 'kernel'>,
  onGone?: () => void,
): Promise<void> {
  await withKernelErrors(`delete ${describeInterface(detachment)}`, async () => {
    for (const { where, end } of links) {
      await kernel.deleteInterface(where, end, links.at(-1)?.end === end ? onGone : undefined);
    }
  });
}

function describeInterface({ attachment: { id } }: Detachment): string {
  return `interface ${id.interfaceName} of container ${id.containerId}`;
}

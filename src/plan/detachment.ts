import type { DelRequest } from '../netconf/request.ts';
import { attachmentFromRequest, podFromArgs, type AttachedPod, type Attachment, type Sha1 } from './attachment.ts';

/** What this node still knows about an attachment when DEL arrives. */
export type KnownAttachment =
  /** It has no record that can be read. `labelled` are the attachments that aliases of host interfaces name for it; there may be none. */
  | { readonly kind: 'labelled'; readonly labelled: readonly Attachment[] }
  /** Its ADD was rejected, because another network's attachment has the interface. Nothing of it exists. */
  | { readonly kind: 'rejected' }
  | {
      readonly kind: 'recorded';
      readonly attachment: Attachment;
      readonly stage: AttachmentStage;
      /** Its ADD is running right now. */
      readonly isInProgress: boolean;
    };

/**
 * `attaching`: ADD has begun. `returning`: ADD has done its work, and the runtime may have the result. `attached`: it has the result.
 * `superseded`: a DEL has overtaken the ADD, which therefore undoes its work. `detaching`: a DEL has begun. `replaced`: a newer sandbox of
 * the same pod has the host interface. Of this attachment only lease and endpoint remain, even if its ADD still runs: the host interface
 * is the last thing that an ADD creates on the node.
 * `endpoint`: everything is removed from the node, and only the Pod still has the endpoint, because the API could not be reached.
 */
export type AttachmentStage =
  | 'attaching'
  | 'returning'
  | 'attached'
  | 'superseded'
  | 'replaced'
  | 'detaching'
  | 'endpoint';

/** The stages in which an ADD can leave its record if it is killed. */
export function isUnfinished(stage: AttachmentStage): boolean {
  return stage === 'attaching' || stage === 'returning' || stage === 'superseded';
}

/** What is removed from the node, and how to recognize it. */
export interface Detachment {
  readonly attachment: Attachment;
  /** The names that its host interface may have. An interface whose alias names another attachment is left alone. */
  readonly hostInterfaceNames: readonly string[];
  /** Whose a host interface without an alias is: left by an ADD that was killed, or created by the previously installed plugin. */
  readonly ifUnlabelled: 'ours' | 'foreign';
  readonly predecessor: Predecessor;
}

/**
 * What must be done about the ADD before anything is removed. `running`: make it undo its work. `killed`: end the IPAM plugin that it
 * may have left running. `finished`: note that a DEL has begun. `none`: nothing.
 */
export type Predecessor = 'running' | 'killed' | 'finished' | 'none';

/**
 * Decides what DEL trusts: the request where it says something, else the record, else the alias.
 *
 * The host interface and the lease come from the record first, because the configuration may have changed since ADD.
 *
 * @param sha1 called only if nothing is known about the attachment
 */
export function planDetachment(request: DelRequest, known: KnownAttachment, sha1: Sha1): Detachment {
  const { args, config, id } = request;
  const recorded = known.kind === 'recorded' ? known.attachment : undefined;
  const labelled = known.kind === 'labelled' ? known.labelled : [];
  const recalled = recorded ?? labelled[0];
  const attachment: Attachment = {
    ...(recalled ?? attachmentFromRequest(request, sha1)),
    id,
    sandboxPath: request.sandboxPath ?? '',
    cniArgs: args.pod === undefined && recorded !== undefined ? recorded.cniArgs : args.raw,
    // An endpoint with this container's id is the other network's.
    pod: known.kind === 'rejected' ? undefined : mergePod(podFromArgs(args), recalled?.pod, args.podUid),
  };
  const listed = config.prevResult?.interfaces.filter(({ sandbox }) => sandbox === undefined) ?? [];
  const isReplaced = known.kind === 'recorded' && known.stage === 'replaced';
  const names = [attachment.hostInterface, ...listed, ...labelled.map(({ hostInterface }) => hostInterface)];
  return {
    attachment,
    hostInterfaceNames: isReplaced ? [] : [...new Set(names.map(({ name }) => name))],
    ifUnlabelled: known.kind === 'recorded' && isUnfinished(known.stage) ? 'ours' : 'foreign',
    predecessor: predecessorOf(known),
  };
}

/** The detachment of what one record describes, without a request: for GC, for the sweep after a reboot and for a repeated ADD. */
export function planRecordedDetachment({
  attachment,
  stage,
}: Pick<Extract<KnownAttachment, { kind: 'recorded' }>, 'attachment' | 'stage'>): Detachment {
  return {
    attachment,
    hostInterfaceNames: stage === 'replaced' ? [] : [attachment.hostInterface.name],
    ifUnlabelled: isUnfinished(stage) ? 'ours' : 'foreign',
    predecessor: isUnfinished(stage) ? 'killed' : 'none',
  };
}

/** The detachment of an attachment without a readable record, of which only aliases are left. */
export function planLabelledDetachment(attachment: Attachment, labelled: readonly Attachment[]): Detachment {
  const hostInterfaceNames = labelled.map(({ hostInterface }) => hostInterface.name);
  return { attachment, hostInterfaceNames, ifUnlabelled: 'foreign', predecessor: 'none' };
}

/** The detachment by which an ADD undoes its own work. An interface without our alias was created by another program in the meantime. */
export function planUndo(attachment: Attachment): Detachment {
  const hostInterfaceNames = [attachment.hostInterface.name];
  return { attachment, hostInterfaceNames, ifUnlabelled: 'foreign', predecessor: 'none' };
}

function mergePod(
  requested: AttachedPod | undefined,
  recalled: AttachedPod | undefined,
  requestedUid: string | undefined,
): AttachedPod | undefined {
  const pod = requested ?? recalled;
  return pod === undefined ? undefined : { ...pod, uid: requestedUid ?? recalled?.uid };
}

function predecessorOf(known: KnownAttachment): Predecessor {
  if (known.kind !== 'recorded') return 'none';
  if (known.isInProgress) return known.stage === 'returning' ? 'finished' : 'running';
  if (isUnfinished(known.stage)) return 'killed';
  return known.stage === 'attached' ? 'finished' : 'none';
}

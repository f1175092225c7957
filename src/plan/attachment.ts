import type { AttachmentId } from '../cni/attachment-id.ts';
import type { CniArgs, PodReference } from '../cni/cni-args.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planLookup, type Delegation } from './delegation.ts';
import { formatHostInterfaceAlias, type HostInterfaceOwner } from './host-interface-alias.ts';
import { hostInterfaceName } from './host-interface-name.ts';

/**
 * One interface of one container on one network: what ADD creates, CHECK compares, DEL and GC remove, and the journal remembers.
 * It holds no secret.
 */
export interface Attachment {
  readonly id: AttachmentId;
  readonly network: string;
  /** CNI_NETNS as given; empty if it is not known. */
  readonly sandboxPath: string;
  /** CNI_ARGS as given, for the IPAM plugin. */
  readonly cniArgs: string;
  /** `undefined` on a network without Kubernetes. */
  readonly pod: AttachedPod | undefined;
  readonly hostInterface: HostInterface;
  /** How the IPAM plugin is asked about the lease after ADD; it names no range. */
  readonly release: Delegation;
}

/** The pod that an attachment is for. */
export interface AttachedPod extends PodReference {
  /** K8S_POD_UID; `undefined` if the runtime does not send it. */
  readonly uid: string | undefined;
}

/** The host end of the veth pair: its name, and the alias that names its owner. */
export interface HostInterface {
  readonly name: string;
  readonly alias: string;
}

/** A SHA-1 function: text in, 40 hexadecimal digits out. */
export type Sha1 = (text: string) => string;

/** The parts of a request that identify an attachment. */
export interface AttachmentRequestFacts {
  readonly id: AttachmentId;
  readonly args: CniArgs;
  readonly config: NetworkConfig;
  /** `undefined` if the runtime says that the sandbox is gone. */
  readonly sandboxPath: string | undefined;
}

/** The attachment that a runtime asks for. */
export function attachmentFromRequest(
  { id, args, config, sandboxPath = '' }: AttachmentRequestFacts,
  sha1: Sha1,
): Attachment {
  const pod = podFromArgs(args);
  const name = hostInterfaceName(config.hostInterfacePrefix, { ...id, pod }, sha1);
  return withAlias(
    {
      id,
      network: config.name,
      sandboxPath,
      cniArgs: args.raw,
      pod,
      hostInterfaceName: name,
      release: planLookup(config),
    },
    sha1,
  );
}

/** What a journal record says about an attachment. */
export interface RecordedAttachment extends Omit<Attachment, 'hostInterface'> {
  readonly hostInterfaceName: string;
}

/** The attachment that a journal record describes. The name of its host interface is the one that ADD used, whatever the prefix is now. */
export function attachmentFromRecord(recorded: RecordedAttachment, sha1: Sha1): Attachment {
  return withAlias(recorded, sha1);
}

/**
 * The attachment that the alias of a host interface names. What an alias does not say (sandbox, CNI_ARGS, uid) stays empty.
 * Its network can be another one than the configuration's, if the network was renamed.
 *
 * @param id the container and interface of `owner`, parsed
 * @param interfaceWithAlias the host interface that has the alias
 */
export function attachmentFromAlias(
  id: AttachmentId,
  { network, workload }: Pick<HostInterfaceOwner, 'network' | 'workload'>,
  interfaceWithAlias: string,
  config: NetworkConfig,
  sha1: Sha1,
): Attachment {
  const [namespace = '', name = ''] = workload.split('/');
  const pod = namespace === '' || name === '' ? undefined : { namespace, name, uid: undefined };
  return withAlias(
    {
      id,
      network,
      sandboxPath: '',
      cniArgs: '',
      pod,
      hostInterfaceName: interfaceWithAlias,
      release: planLookup(config, network),
    },
    sha1,
  );
}

/** The pod that CNI_ARGS name, `undefined` if they name none. */
export function podFromArgs({ pod, podUid }: CniArgs): AttachedPod | undefined {
  return pod === undefined ? undefined : { namespace: pod.namespace, name: pod.name, uid: podUid };
}

/** The pod whose workload endpoint this attachment is: a pod has one, on its first network. */
export function endpointPod({ id, pod }: Pick<Attachment, 'id' | 'pod'>): AttachedPod | undefined {
  return isFirstNetwork({ id }) ? pod : undefined;
}

/** Whether this is the network of the pod that Kubernetes knows. Runtimes call its interface eth0, and programs such as Multus add others. */
export function isFirstNetwork({ id }: Pick<Attachment, 'id'>): boolean {
  return id.interfaceName === 'eth0';
}

function withAlias({ hostInterfaceName: name, ...recorded }: RecordedAttachment, sha1: Sha1): Attachment {
  const { id, network, pod } = recorded;
  const workload = pod === undefined ? '' : `${pod.namespace}/${pod.name}`;
  return { ...recorded, hostInterface: { name, alias: formatHostInterfaceAlias({ ...id, network, workload }, sha1) } };
}

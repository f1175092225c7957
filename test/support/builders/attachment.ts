import { parseContainerId, parseInterfaceName, type AttachmentId } from '../../../src/cni/attachment-id.ts';
import { attachmentFromRecord, type Attachment, type RecordedAttachment } from '../../../src/plan/attachment.ts';

/** The id of an attachment. */
export function attachmentId(containerId = 'c1', interfaceName = 'eth0'): AttachmentId {
  return { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
}

/** The attachment of container c1 of the pod default/web to the network `net`, except for `overrides`. */
export function attachment(overrides: Partial<RecordedAttachment> = {}): Attachment {
  return attachmentFromRecord({
    id: attachmentId(),
    network: 'net',
    sandboxPath: '/var/run/netns/web',
    cniArgs: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web',
    pod: { namespace: 'default', name: 'web', uid: 'uid-1' },
    hostInterfaceName: 'cali68caf03a5f4',
    release: { type: 'host-local', config: { cniVersion: '1.0.0', name: 'net' } },
    ...overrides,
  });
}

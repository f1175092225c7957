import { parseContainerId, parseInterfaceName, type AttachmentId } from '../../src/cni/attachment-id.ts';
import type { AttachmentFacts } from '../../src/journal/journal.ts';

/** A container's attachment, `c1` and `eth0` unless told. */
export function anAttachment(containerId = 'c1', interfaceName = 'eth0'): AttachmentId {
  return { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
}

/** What an ADD writes down about a valid attachment, special only where `overrides` says so. */
export function recordFacts(overrides: Partial<AttachmentFacts> = {}): AttachmentFacts {
  return {
    sandboxPath: '/var/run/netns/web',
    hostInterface: 'cali68caf03a5f4',
    cniArgs: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web',
    pod: { namespace: 'default', name: 'web' },
    podUid: 'uid-1',
    release: { type: 'host-local', config: { cniVersion: '1.0.0', name: 'pod-network' }, families: [] },
    ...overrides,
  };
}

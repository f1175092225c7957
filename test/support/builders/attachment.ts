import { hash } from 'node:crypto';
import { join } from 'node:path';
import { parseContainerId, parseInterfaceName, type AttachmentId } from '../../../src/cni/attachment-id.ts';
import type { JournalFolders } from '../../../src/journal/journal.ts';
import {
  attachmentFromRecord,
  type Attachment,
  type RecordedAttachment,
  type Sha1,
} from '../../../src/plan/attachment.ts';

/** The id of an attachment. */
export function attachmentId(containerId = 'c1', interfaceName = 'eth0'): AttachmentId {
  return { containerId: parseContainerId(containerId), interfaceName: parseInterfaceName(interfaceName) };
}

/** SHA-1 as the plans take it. */
export const sha1: Sha1 = (text) => hash('sha1', text);

/** The attachment of container c1 of the pod default/web to the network `net`, except for `overrides`. */
export function attachment(overrides: Partial<RecordedAttachment> = {}): Attachment {
  return attachmentFromRecord(
    {
      id: attachmentId(),
      network: 'net',
      sandboxPath: '/var/run/netns/web',
      cniArgs: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web',
      pod: { namespace: 'default', name: 'web', uid: 'uid-1' },
      hostInterfaceName: 'cali68caf03a5f4',
      release: { type: 'host-local', config: { cniVersion: '1.0.0', name: 'net' } },
      ...overrides,
    },
    sha1,
  );
}

/** A journal's folders below one folder of a test. */
export function journalFolders(folder: string): JournalFolders {
  return { records: folder, rejected: join(folder, '.rejected') };
}

import {
  isCniName,
  isInterfaceName,
  parseContainerId,
  parseInterfaceName,
  type AttachmentId,
  type ContainerId,
  type InterfaceName,
} from './attachment-id.ts';
import type { JsonReader } from '../json/json-reader.ts';
import type { JsonObject } from '../json/json.ts';
import type { Shape } from '../json/shapes.ts';

const KEYS = ['cni.dev/valid-attachments', 'cni.dev/attachments'];

const CONTAINER_ID: Shape<ContainerId> = {
  expected: 'a container id',
  parse: (value) => (typeof value === 'string' && isCniName(value) ? parseContainerId(value) : undefined),
};
const INTERFACE_NAME: Shape<InterfaceName> = {
  expected: 'the name of an interface',
  parse: (value) => (typeof value === 'string' && isInterfaceName(value) ? parseInterfaceName(value) : undefined),
};

/**
 * Reads the attachments that GC must keep. `undefined` if the key is absent, which is not the same as an empty list:
 * `null` or `[]`.
 *
 * The list has two keys, because libcni 1.2.3 sends both. An attachment in either list is valid: if in doubt, GC
 * keeps it.
 *
 * @throws {Error} the source's, for an entry that is not an attachment: GC with a partial list would release live
 *   attachments
 * @see SPEC.md 1.1.0, section 2, GC
 */
export function readValidAttachments(reader: JsonReader, raw: JsonObject): readonly AttachmentId[] | undefined {
  const keys = KEYS.filter((key) => Object.hasOwn(raw, key));
  if (keys.length === 0) return undefined;
  return keys
    .flatMap((key) => reader.readObjects(key))
    .map((item) => ({
      containerId: item.require('containerID', CONTAINER_ID),
      interfaceName: item.require('ifname', INTERFACE_NAME),
    }));
}

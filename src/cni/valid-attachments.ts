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
  wanted: 'a container id',
  parse: (value) => (typeof value === 'string' && isCniName(value) ? parseContainerId(value) : undefined),
};
const INTERFACE_NAME: Shape<InterfaceName> = {
  wanted: "an interface's name",
  parse: (value) => (typeof value === 'string' && isInterfaceName(value) ? parseInterfaceName(value) : undefined),
};

/**
 * The attachments that are still valid, as GC is told. `undefined` if it is not told, which is not the same as none: `null` or `[]`.
 *
 * The list has two names, since libcni 1.2.3 sends both. An attachment in either is valid: what is in doubt is kept.
 *
 * @throws {CniError} for an entry that is no attachment: GC with a list that is read in part would free what lives
 * @see SPEC.md 1.1.0, section 2, GC
 */
export function readValidAttachments(reader: JsonReader, raw: JsonObject): readonly AttachmentId[] | undefined {
  const keys = KEYS.filter((key) => Object.hasOwn(raw, key));
  if (keys.length === 0) return undefined;
  return keys
    .flatMap((key) => reader.list(key))
    .map((item) => ({
      containerId: item.require('containerID', CONTAINER_ID),
      interfaceName: item.require('ifname', INTERFACE_NAME),
    }));
}

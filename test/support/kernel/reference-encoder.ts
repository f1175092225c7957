import {
  formatAddressMessage,
  formatLinkMessage,
  formatRouteMessage,
  parseLinkMessage,
  type Message,
} from 'netlink/dist/rt/structs.js';
import { AttrStream } from 'netlink/dist/structs.js';

/** Encodes the payload of a message with the netlink package's typed layer, which shares no code with podwire. */
export function encodeByReference(message: Message): Buffer {
  const stream = new AttrStream();
  if (message.kind === 'link') formatLinkMessage(message, stream);
  else if (message.kind === 'address') formatAddressMessage(message, stream);
  else if (message.kind === 'route') formatRouteMessage(message, stream);
  else throw new Error(`no reference encoder for ${message.kind}`);
  const bytes = Buffer.concat(stream.bufs);
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4); // the package does not pad the last attribute
}

/**
 * Decodes a link message with the typed layer, which drops the padding and flags in which two correct encodings can
 * differ.
 */
export function readLinkByReference(payload: Uint8Array): Omit<ReturnType<typeof parseLinkMessage>, 'kind'> {
  const { data, attrs } = parseLinkMessage(Buffer.from(payload));
  return { data, attrs };
}

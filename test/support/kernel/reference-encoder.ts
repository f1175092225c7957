import {
  formatAddressMessage,
  formatLinkMessage,
  formatRouteMessage,
  parseLinkMessage,
  type Message,
} from 'netlink/dist/rt/structs.js';
import { AttrStream } from 'netlink/dist/structs.js';

/** The payload of a message as the netlink package's typed layer encodes it, which shares no code with ours. */
export function encodeByReference(message: Message): Buffer {
  const stream = new AttrStream();
  if (message.kind === 'link') formatLinkMessage(message, stream);
  else if (message.kind === 'address') formatAddressMessage(message, stream);
  else if (message.kind === 'route') formatRouteMessage(message, stream);
  else throw new Error(`no reference encoder for ${message.kind}`);
  const bytes = Buffer.concat(stream.bufs);
  return Buffer.concat([bytes], Math.ceil(bytes.length / 4) * 4); // it leaves the last attribute unpadded
}

/** A link message as the typed layer reads it: without the padding and flags in which two right encodings can differ. */
export function readLinkByReference(payload: Uint8Array): Omit<ReturnType<typeof parseLinkMessage>, 'kind'> {
  const { data, attrs } = parseLinkMessage(Buffer.from(payload));
  return { data, attrs };
}

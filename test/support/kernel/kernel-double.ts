import { decodeMessages, encodeMessages, type NetlinkMessage } from '../../../src/netlink/message.ts';
import type { NetlinkTransport, TransportListener } from '../../../src/netlink/transport.ts';
import { NLMSG } from '../../../src/netlink/constants.ts';

/** One reply of a double: messages, or a failure of the transport. */
export type DoubleAnswer =
  | readonly NetlinkMessage[]
  | { readonly lost: string }
  | { readonly unsent: string }
  | Uint8Array;

/** The transport to use instead of the kernel's. */
export interface KernelDouble {
  readonly open: (listener: TransportListener) => NetlinkTransport;
  /** The requests so far, one entry for each send. */
  readonly sends: readonly (readonly NetlinkMessage[])[];
  readonly isClosed: () => boolean;
}

/** Makes a double that replies to each send with the next of `answers`, and to later ones not at all. */
export function kernelDouble(
  ...answers: readonly ((asked: readonly NetlinkMessage[]) => DoubleAnswer)[]
): KernelDouble {
  const sends: (readonly NetlinkMessage[])[] = [];
  let isClosed = false;
  const open = (listener: TransportListener): NetlinkTransport => ({
    send: (datagram, sent) => {
      const asked = decodeMessages(datagram);
      const answer = answers[sends.length]?.(asked) ?? [];
      sends.push(asked);
      sent('unsent' in answer ? answer.unsent : undefined);
      if ('lost' in answer) listener.failed(answer.lost);
      else if (answer instanceof Uint8Array) listener.received(answer);
      else if (!('unsent' in answer)) listener.received(encodeMessages(answer));
    },
    close: () => {
      isClosed = true;
    },
  });
  return { open, sends, isClosed: () => isClosed };
}

/** The kernel's acknowledgement of a request, or its `errno`. */
export function acknowledge({ sequence }: NetlinkMessage, errno = 0): NetlinkMessage {
  const payload = Buffer.alloc(4);
  payload.writeInt32LE(-errno);
  return { type: NLMSG.ERROR, flags: 0, sequence, payload };
}

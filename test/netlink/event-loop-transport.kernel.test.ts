import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { expect, it } from 'vitest';
import { decodeLink, getLinkRequest } from '../../src/netlink/link-message.ts';
import { openEventLoopTransport } from '../../src/netlink/event-loop-transport.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';

it('carries questions to the kernel and its answers back', async () => {
  using socket = new NetlinkSocket((listener) => openEventLoopTransport(RawNetlinkSocket, listener));
  const replies = await socket.exchange([getLinkRequest('lo'), getLinkRequest('none'), getLinkRequest(1)]);
  expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, 'ENODEV', undefined]);
  expect(replies.flatMap(({ payloads }) => payloads).map((payload) => decodeLink(payload).name)).toEqual(['lo', 'lo']);
});

it('a socket that the kernel refuses is an error with its name', () => {
  class Refused extends RawNetlinkSocket {
    constructor() {
      super(31); // no such protocol
    }
  }
  const open = () => openEventLoopTransport(Refused, { received: () => undefined, failed: () => undefined });
  expect(open).toThrow(expect.objectContaining({ operation: 'open', errnoName: 'EPROTONOSUPPORT' }));
});

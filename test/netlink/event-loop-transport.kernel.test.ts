import { RawNetlinkSocket } from 'netlink/dist/raw.js';
import { expect, it } from 'vitest';
import { decodeLink, getLinkRequest } from '../../src/netlink/link-message.ts';
import { openEventLoopTransport } from '../../src/netlink/event-loop-transport.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';

it('carries requests to the kernel and replies back', async () => {
  using socket = new NetlinkSocket((listener) => openEventLoopTransport(RawNetlinkSocket, listener));
  const replies = await socket.exchange([getLinkRequest('lo'), getLinkRequest('none'), getLinkRequest(1)]);
  expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, 'ENODEV', undefined]);
  expect(replies.flatMap(({ payloads }) => payloads).map((payload) => decodeLink(payload).name)).toEqual(['lo', 'lo']);
});

it('a socket that the kernel refuses is an error with the name of the errno', () => {
  class UnknownProtocol extends RawNetlinkSocket {
    constructor() {
      super(31); // this protocol does not exist
    }
  }
  const open = () => openEventLoopTransport(UnknownProtocol, { received: () => undefined, failed: () => undefined });
  expect(open).toThrow(expect.objectContaining({ operation: 'open', errnoName: 'EPROTONOSUPPORT' }));
});

import { openSync, readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openLibc } from '../../src/system/libc.ts';
import { decodeLink, getLinkRequest } from '../../src/netlink/link-message.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { openThreadTransport } from '../../src/netlink/thread-transport.ts';

const descriptors = () => readdirSync('/proc/self/fd').length;

it('carries requests to the kernel and replies back', async () => {
  using socket = new NetlinkSocket((listener) => openThreadTransport(openLibc().openNetlink(), listener));
  const replies = await socket.exchange([getLinkRequest('lo'), getLinkRequest('none'), getLinkRequest(1)]);
  expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, 'ENODEV', undefined]);
  expect(replies.flatMap(({ payloads }) => payloads).map((payload) => decodeLink(payload).name)).toEqual(['lo', 'lo']);
});

it('closing waits for a pending send, and its request fails at once', async () => {
  const before = descriptors();
  const fd = openLibc().openNetlink();
  const socket = new NetlinkSocket((listener) => openThreadTransport(fd, listener));
  const reply = socket.exchange([getLinkRequest('lo')]);
  socket[Symbol.dispose]();
  expect((await reply)[0]?.errnoName).toBe('EBADF');
  await expect.poll(descriptors).toBe(before);
});

it('a descriptor that is not writable is an error', async () => {
  const fd = openSync('/dev/null', 'r');
  using socket = new NetlinkSocket((listener) => openThreadTransport(fd, listener));
  expect((await socket.exchange([getLinkRequest('lo')]))[0]?.errnoName).toBe('EBADF');
});

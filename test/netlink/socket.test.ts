import { describe, expect, it } from 'vitest';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { NLM_F, NLMSG, RTM } from '../../src/netlink/constants.ts';
import type { NetlinkMessage } from '../../src/netlink/message.ts';
import { acknowledge, kernelDouble } from '../support/kernel/kernel-double.ts';

const ERRNO = { EINTR: 4, EBUSY: 16, EEXIST: 17, ENODEV: 19 } as const;
const payload = Buffer.alloc(16);
const change = { type: RTM.NEWLINK, flags: NLM_F.CREATE, payload };
const query = { type: RTM.GETLINK, flags: 0, payload };
const dump = { type: RTM.GETROUTE, flags: NLM_F.DUMP, payload };

describe('requests', () => {
  it('are sent at once, numbered, each with a request for an acknowledgement', async () => {
    const kernel = kernelDouble((requests) => requests.map((message) => acknowledge(message)));
    await new NetlinkSocket(kernel.open).exchange([change, query]);
    expect(kernel.sends).toEqual([
      [
        { ...change, flags: NLM_F.CREATE | NLM_F.REQUEST | NLM_F.ACK, sequence: 1 },
        { ...query, flags: NLM_F.REQUEST | NLM_F.ACK, sequence: 2 },
      ],
    ]);
  });

  it('get their own replies, in whatever order these arrive', async () => {
    const kernel = kernelDouble((requests) =>
      requests.toReversed().map((message) => acknowledge(message, message.sequence === 2 ? ERRNO.EEXIST : 0)),
    );
    const replies = await new NetlinkSocket(kernel.open).exchange([change, change, change]);
    expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, 'EEXIST', undefined]);
  });

  it('keep only the objects that pass their filter, which begins again when a dump is repeated', async () => {
    const objects = (first: number) => (requests: readonly NetlinkMessage[]) =>
      requests.flatMap((message) => [
        ...[0, 1, 2, 3].map((byte) => ({ ...message, type: RTM.NEWROUTE, payload: Buffer.from([first + byte]) })),
        acknowledge(message, first === 0 ? ERRNO.EINTR : 0),
      ]);
    const openFilter = () => {
      let count = 0;
      return (bytes: Uint8Array) => (bytes[0] ?? 0) % 2 === 0 && ++count <= 1;
    };
    const [reply] = await new NetlinkSocket(kernelDouble(objects(0), objects(4)).open).exchange([
      { ...dump, openFilter },
    ]);
    expect(reply?.payloads).toEqual([Buffer.from([4])]);
  });

  it('get the objects that arrive before the acknowledgement', async () => {
    const kernel = kernelDouble((requests) =>
      requests.flatMap((message) => [
        { ...message, type: RTM.NEWLINK, payload: Buffer.from([1, 2, 3, 4]) },
        acknowledge(message),
      ]),
    );
    const [reply] = await new NetlinkSocket(kernel.open).exchange([query]);
    expect(reply?.payloads).toEqual([Buffer.from([1, 2, 3, 4])]);
  });

  it('end at the end of a dump, which has no acknowledgement', async () => {
    const kernel = kernelDouble(([message]) =>
      message === undefined
        ? []
        : [
            { ...message, type: RTM.NEWLINK },
            { ...message, type: RTM.NEWLINK },
            { ...message, type: NLMSG.DONE, payload: Buffer.alloc(0) },
          ],
    );
    const [reply] = await new NetlinkSocket(kernel.open).exchange([dump]);
    expect(reply?.payloads).toHaveLength(2);
  });

  it('are not sent if the list is empty', async () => {
    const kernel = kernelDouble();
    expect(await new NetlinkSocket(kernel.open).exchange([])).toEqual([]);
    expect(kernel.sends).toEqual([]);
  });
});

describe('a transient error', () => {
  it('repeats that request and later ones that failed, and none that succeeded', async () => {
    const kernel = kernelDouble(
      ([first, second, third, fourth]) =>
        [
          first && acknowledge(first),
          second && acknowledge(second, ERRNO.EBUSY),
          third && acknowledge(third, ERRNO.ENODEV),
          fourth && acknowledge(fourth),
        ].filter((message) => message !== undefined),
      (requests) => requests.map((message) => acknowledge(message)),
    );
    const replies = await new NetlinkSocket(kernel.open).exchange([change, query, change, change]);
    expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, undefined, undefined, undefined]);
    expect(kernel.sends.map((messages) => messages.map(({ sequence }) => sequence))).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it('is returned after five attempts', async () => {
    const busy = (requests: readonly Parameters<typeof acknowledge>[0][]) =>
      requests.map((message) => acknowledge(message, ERRNO.EBUSY));
    const kernel = kernelDouble(busy, busy, busy, busy, busy, busy);
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EBUSY');
    expect(kernel.sends).toHaveLength(5);
  });

  it('is a dump during which an object changed', async () => {
    const kernel = kernelDouble(
      ([message]) =>
        message === undefined
          ? []
          : [
              { ...message, flags: NLM_F.DUMP_INTR, type: RTM.NEWLINK },
              { ...message, type: NLMSG.DONE, payload: Buffer.alloc(4) },
            ],
      ([message]) => (message === undefined ? [] : [{ ...message, type: NLMSG.DONE, payload: Buffer.alloc(4) }]),
    );
    const [reply] = await new NetlinkSocket(kernel.open).exchange([dump]);
    expect(reply).toMatchObject({ errnoName: undefined, payloads: [] });
    expect(kernel.sends).toHaveLength(2);
  });

  it('is not a lost reply, after which the change may have been made', async () => {
    const kernel = kernelDouble(() => ({ lost: 'ENOBUFS' }));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('ENOBUFS');
    expect(kernel.sends).toHaveLength(1);
  });
});

describe('exchange does not hang', () => {
  it('if no reply arrives: it is a timeout', async () => {
    const [reply] = await new NetlinkSocket(kernelDouble().open, 20).exchange([change]);
    expect(reply?.errnoName).toBe('ETIMEDOUT');
  });

  it('if a reply has an unknown sequence number: it is ignored', async () => {
    const kernel = kernelDouble((requests) =>
      requests.map((message) => acknowledge({ ...message, sequence: message.sequence + 1 })),
    );
    const [reply] = await new NetlinkSocket(kernel.open, 20).exchange([change]);
    expect(reply?.errnoName).toBe('ETIMEDOUT');
  });

  it('if a reply is malformed: it is an error', async () => {
    const kernel = kernelDouble(() => Buffer.from([1, 2, 3]));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EBADMSG');
  });

  it('if the request cannot be sent: it is an error', async () => {
    const kernel = kernelDouble(() => ({ unsent: 'EPERM' }));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EPERM');
  });

  it('if the socket is closed: pending and later requests fail', async () => {
    const kernel = kernelDouble();
    const socket = new NetlinkSocket(kernel.open);
    const waiting = socket.exchange([change]);
    socket[Symbol.dispose]();
    socket[Symbol.dispose]();
    expect(kernel.isClosed()).toBe(true);
    expect((await waiting)[0]?.errnoName).toBe('EBADF');
    expect((await socket.exchange([change]))[0]?.errnoName).toBe('EBADF');
    expect(kernel.sends).toHaveLength(1);
  });
});

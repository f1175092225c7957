import { describe, expect, it } from 'vitest';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { NLM_F, NLMSG, RTM } from '../../src/netlink/constants.ts';
import { acknowledge, kernelDouble } from '../support/kernel-double.ts';

const ERRNO = { EINTR: 4, EBUSY: 16, EEXIST: 17, ENODEV: 19 } as const;
const payload = Buffer.alloc(16);
const change = { type: RTM.NEWLINK, flags: NLM_F.CREATE, payload };
const question = { type: RTM.GETLINK, flags: 0, payload };
const dump = { type: RTM.GETROUTE, flags: NLM_F.DUMP, payload };

describe('requests', () => {
  it('go out in one send, numbered, each to be acknowledged', async () => {
    const kernel = kernelDouble((asked) => asked.map((message) => acknowledge(message)));
    await new NetlinkSocket(kernel.open).exchange([change, question]);
    expect(kernel.sends).toEqual([
      [
        { ...change, flags: NLM_F.CREATE | NLM_F.REQUEST | NLM_F.ACK, sequence: 1 },
        { ...question, flags: NLM_F.REQUEST | NLM_F.ACK, sequence: 2 },
      ],
    ]);
  });

  it('get their own answers, in whatever order these come', async () => {
    const kernel = kernelDouble((asked) =>
      asked.toReversed().map((message) => acknowledge(message, message.sequence === 2 ? ERRNO.EEXIST : 0)),
    );
    const replies = await new NetlinkSocket(kernel.open).exchange([change, change, change]);
    expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, 'EEXIST', undefined]);
  });

  it('get what they asked for before the acknowledgement', async () => {
    const kernel = kernelDouble((asked) =>
      asked.flatMap((message) => [
        { ...message, type: RTM.NEWLINK, payload: Buffer.from([1, 2, 3, 4]) },
        acknowledge(message),
      ]),
    );
    const [reply] = await new NetlinkSocket(kernel.open).exchange([question]);
    expect(reply?.payloads).toEqual([Buffer.from([1, 2, 3, 4])]);
  });

  it('end at the end of a dump, without acknowledgement', async () => {
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

  it('none sends nothing', async () => {
    const kernel = kernelDouble();
    expect(await new NetlinkSocket(kernel.open).exchange([])).toEqual([]);
    expect(kernel.sends).toEqual([]);
  });
});

describe('what fails for the moment', () => {
  it('is sent again with what failed behind it, and nothing that was done', async () => {
    const kernel = kernelDouble(
      ([first, second, third, fourth]) =>
        [
          first && acknowledge(first),
          second && acknowledge(second, ERRNO.EBUSY),
          third && acknowledge(third, ERRNO.ENODEV),
          fourth && acknowledge(fourth),
        ].filter((message) => message !== undefined),
      (asked) => asked.map((message) => acknowledge(message)),
    );
    const replies = await new NetlinkSocket(kernel.open).exchange([change, question, change, change]);
    expect(replies.map(({ errnoName }) => errnoName)).toEqual([undefined, undefined, undefined, undefined]);
    expect(kernel.sends.map((messages) => messages.map(({ sequence }) => sequence))).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it('is given up after five tries', async () => {
    const busy = (asked: readonly Parameters<typeof acknowledge>[0][]) =>
      asked.map((message) => acknowledge(message, ERRNO.EBUSY));
    const kernel = kernelDouble(busy, busy, busy, busy, busy, busy);
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EBUSY');
    expect(kernel.sends).toHaveLength(5);
  });

  it('includes a dump during which something changed', async () => {
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

  it('is no answer that was lost: the change may have been made', async () => {
    const kernel = kernelDouble(() => ({ lost: 'ENOBUFS' }));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('ENOBUFS');
    expect(kernel.sends).toHaveLength(1);
  });
});

describe('nothing hangs', () => {
  it('an answer that never comes is a time-out', async () => {
    const [reply] = await new NetlinkSocket(kernelDouble().open, 20).exchange([change]);
    expect(reply?.errnoName).toBe('ETIMEDOUT');
  });

  it('an answer to another request changes nothing', async () => {
    const kernel = kernelDouble((asked) =>
      asked.map((message) => acknowledge({ ...message, sequence: message.sequence + 1 })),
    );
    const [reply] = await new NetlinkSocket(kernel.open, 20).exchange([change]);
    expect(reply?.errnoName).toBe('ETIMEDOUT');
  });

  it('an answer of nonsense is an error', async () => {
    const kernel = kernelDouble(() => Buffer.from([1, 2, 3]));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EBADMSG');
  });

  it('what cannot be sent is an error', async () => {
    const kernel = kernelDouble(() => ({ unsent: 'EPERM' }));
    const [reply] = await new NetlinkSocket(kernel.open).exchange([change]);
    expect(reply?.errnoName).toBe('EPERM');
  });

  it('closing ends what waits, and refuses what comes', async () => {
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

import { closeSync, openSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KernelError, NamespaceLostError } from '../../src/system/kernel-error.ts';
import { openLibc, type Libc } from '../../src/system/libc.ts';
import { OwnNetns } from '../../src/kernel/netns.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';

const here = () => readlinkSync('/proc/thread-self/ns/net');

it('a visit happens in the other namespace and ends in ours', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const fd = openSync(sandbox.path, 'r');
  const before = here();
  const inside = own.visit(fd, here);
  expect(inside).not.toBe(before);
  expect(here()).toBe(before);
  expect([own.isSameAs(fd), own.isSameAs(own.fd)]).toEqual([false, true]);
  closeSync(fd);
});

it('a visit that throws ends in ours too', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const fd = openSync(sandbox.path, 'r');
  const before = here();
  const fail = (): never => {
    throw new RangeError('inside');
  };
  expect(() => own.visit(fd, fail)).toThrow(RangeError);
  expect(here()).toBe(before);
  closeSync(fd);
});

it('a process that cannot come back may do nothing any more', async () => {
  await using sandbox = await makeSandbox();
  const real = openLibc();
  let isStuck = false;
  const libc: Libc = {
    ...real,
    enterNetns: () => {
      if (isStuck) throw new KernelError('enter', 'the network namespace', 'EPERM');
      isStuck = true; // at the first way back; nothing is really entered
    },
  };
  using own = new OwnNetns(libc);
  const fd = openSync(sandbox.path, 'r');
  expect(() => own.visit(fd, () => 'value')).toThrow(NamespaceLostError);
  isStuck = false;
  expect(() => own.visit(fd, () => 'value')).toThrow(NamespaceLostError);
  expect(() => own.requireHome()).toThrow(NamespaceLostError);
  closeSync(fd);
});

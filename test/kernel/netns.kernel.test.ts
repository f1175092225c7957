import { closeSync, openSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KernelError, NamespaceLostError } from '../../src/system/kernel-error.ts';
import { openLibc, type Libc } from '../../src/system/libc.ts';
import { OwnNetns } from '../../src/kernel/netns.ts';
import { makeSandbox } from '../lab/namespaces/network-namespace.ts';

const currentNetns = () => readlinkSync('/proc/thread-self/ns/net');

it('a visit runs in the other namespace and returns to ours', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const fd = openSync(sandbox.path, 'r');
  const before = currentNetns();
  const inside = own.visit(fd, currentNetns);
  expect(inside).not.toBe(before);
  expect(currentNetns()).toBe(before);
  expect([own.isSameAs(fd), own.isSameAs(own.fd)]).toEqual([false, true]);
  closeSync(fd);
});

it('a visit that throws also returns to ours', async () => {
  await using sandbox = await makeSandbox();
  using own = new OwnNetns(openLibc());
  const fd = openSync(sandbox.path, 'r');
  const before = currentNetns();
  const fail = (): never => {
    throw new RangeError('inside');
  };
  expect(() => own.visit(fd, fail)).toThrow(RangeError);
  expect(currentNetns()).toBe(before);
  closeSync(fd);
});

it('after a visit without a way back, every later visit fails', async () => {
  await using sandbox = await makeSandbox();
  const real = openLibc();
  let isStuck = false;
  const libc: Libc = {
    ...real,
    enterNetns: () => {
      if (isStuck) throw new KernelError('enter', 'the network namespace', 'EPERM');
      isStuck = true; // the first call succeeds without entering anything; the call that returns fails
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

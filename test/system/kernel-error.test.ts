import { getSystemErrorMap } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KernelError, formatErrno } from '../../src/system/kernel-error.ts';

describe('a KernelError', () => {
  it('reads well alone: operation, object, meaning, errno', () =>
    expect(new KernelError('add route', '10.0.0.5/32 by cali1 (host)', 'EEXIST').message).toBe(
      'cannot add route 10.0.0.5/32 by cali1 (host): it already exists (EEXIST)',
    ));

  it('says what it is told in place of the general meaning', () =>
    expect(new KernelError('load', 'a.node', 'EACCES', { explanation: 'noexec' }).message).toBe(
      'cannot load a.node: noexec (EACCES)',
    ));

  it('has an owner only where one is known', () => {
    expect(new KernelError('add route', 'r', 'EEXIST', { owner: 'cali2' }).owner).toBe('cali2');
    expect(new KernelError('add route', 'r', 'EEXIST').owner).toBeUndefined();
  });

  it('never says "not found", for which containerd would swallow it', () => {
    const messages = [...getSystemErrorMap().values()].map(([name]) => new KernelError('delete', 'x', name).message);
    expect(messages.filter((message) => /not found/i.test(message))).toEqual([]);
  });

  it('has words for an errno that nobody has a name for', () =>
    expect(new KernelError('delete', 'x', 'errno 4321').message).toBe(
      'cannot delete x: the kernel rejected it (errno 4321)',
    ));
});

describe('the name of an errno', () => {
  const named = (errno: number, name: string) => it(name, () => expect(formatErrno(errno)).toBe(name));
  named(17, 'EEXIST');
  named(19, 'ENODEV');
  named(105, 'ENOBUFS');
  named(4321, 'errno 4321');
  named(-5, 'errno -5');
  named(0, 'errno 0');
});

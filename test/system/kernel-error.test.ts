import { getSystemErrorMap } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KernelError, formatErrno } from '../../src/system/kernel-error.ts';

describe('a KernelError', () => {
  it('is complete on its own: operation, object, meaning, errno', () =>
    expect(new KernelError('add route', '10.0.0.5/32 by cali1 (host)', 'EEXIST').message).toBe(
      'cannot add route 10.0.0.5/32 by cali1 (host): it already exists (EEXIST)',
    ));

  it('shows an explanation instead of the general meaning', () =>
    expect(new KernelError('load', 'a.node', 'EACCES', { explanation: 'noexec' }).message).toBe(
      'cannot load a.node: noexec (EACCES)',
    ));

  it('has an owner only if it is known', () => {
    expect(new KernelError('add route', 'r', 'EEXIST', { owner: 'cali2' }).owner).toBe('cali2');
    expect(new KernelError('add route', 'r', 'EEXIST').owner).toBeUndefined();
  });

  it('never contains "not found", because containerd ignores such errors', () => {
    const messages = [...getSystemErrorMap().values()].map(([name]) => new KernelError('delete', 'x', name).message);
    expect(messages.filter((message) => /not found/i.test(message))).toEqual([]);
  });

  it('has a text for an errno without a name', () =>
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

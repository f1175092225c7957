import { describe, expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import { withKernelErrors } from '../../src/attachment/kernel-errors.ts';
import { KernelError } from '../../src/system/kernel-error.ts';

const refused = (error: Error) =>
  withKernelErrors('attach /run/netns/web', async () => {
    throw error;
  });

describe('an error of the kernel', () => {
  it('is code 101 with the operation, its object and the name of the errno', async () => {
    const cause = new KernelError('set up', 'interface eth0 (sandbox)', 'ENODEV');
    await expect(refused(cause)).rejects.toMatchObject({
      code: ERROR_CODE.kernelRefused,
      message:
        'cannot attach /run/netns/web: cannot set up interface eth0 (sandbox): the interface does not exist (ENODEV)',
      details: 'set up interface eth0 (sandbox): ENODEV',
      cause,
    });
  });

  it('is 104 with the owner’s name, if another interface has the route', async () => {
    const explanation = 'interface cali2 already has a route to this destination';
    const cause = new KernelError('add route', '10.0.0.5/32 on cali1', 'EEXIST', { explanation, owner: 'cali2' });
    await expect(refused(cause)).rejects.toMatchObject({
      code: ERROR_CODE.routeTaken,
      message: expect.stringMatching(/interface cali2 already has a route .*"ip route"/),
    });
  });

  it('never contains the words that make containerd ignore an error', async () => {
    for (const errnoName of ['ENOENT', 'ENODEV', 'ESRCH']) {
      const error = new KernelError('delete', 'interface eth0', errnoName);
      await expect(refused(error)).rejects.not.toThrow(/not found/i);
    }
  });

  it('is not translated from any other error', async () => {
    const mistake = new TypeError('a mistake');
    const known = new CniError(ERROR_CODE.interfaceTaken, 'known');
    await expect(refused(mistake)).rejects.toBe(mistake);
    await expect(refused(known)).rejects.toBe(known);
    await expect(withKernelErrors('look', () => Promise.resolve(7))).resolves.toBe(7);
  });
});

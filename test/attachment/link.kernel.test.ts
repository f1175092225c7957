import { describe, expect, it } from 'vitest';
import { createLink } from '../../src/attachment/link.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { attachment } from '../support/builders/attachment.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';
import { sandboxInKernel } from '../support/kernel/attached-pod.ts';

/** Creates a link; `interfere` runs after the kernel has created it, and before both ends are read. */
async function create(name: string, address: string, interfere: () => Promise<unknown> = async () => undefined) {
  const { kernel, sandbox } = await sandboxInKernel();
  const interfered: Pick<Kernel, 'apply' | 'observeInterface' | 'sandboxExists'> = {
    sandboxExists: (path) => kernel.sandboxExists(path),
    async apply(steps, where) {
      const warnings = await kernel.apply(steps, where);
      await interfere();
      return warnings;
    },
    observeInterface: (where, interfaceName) => kernel.observeInterface(where, interfaceName),
  };
  const steps = planAttachmentSteps(attachmentFacts({ hostInterface: { name, alias: name }, addresses: [address] }));
  return createLink(steps, attachment({ hostInterfaceName: name }), sandbox, {
    journal: { find: () => undefined, isInProgress: () => false },
    kernel: interfered,
    log: { warning: () => undefined },
  });
}

describe('createLink', () => {
  it('returns both ends as the kernel has them', async () =>
    expect(await create('calipair1', '10.81.0.1')).toMatchObject({
      hostInterface: { name: 'calipair1' },
      containerInterface: { name: 'eth0' },
    }));

  it('fails if another program has changed the MAC that IPv6 routes rely on', async () => {
    const change = () => hostNamespace().ip('link', 'set', 'calipair2', 'address', '02:00:00:00:00:01');
    await expect(create('calipair2', '10.81.0.2', change)).rejects.toMatchObject({
      code: ERROR_CODE.kernelRefused,
      message: expect.stringContaining('02:00:00:00:00:01'),
    });
  });

  it('fails if an end is gone', async () => {
    const remove = () => hostNamespace().ip('link', 'delete', 'calipair3');
    await expect(create('calipair3', '10.81.0.3', remove)).rejects.toMatchObject({
      message: expect.stringContaining('one end is gone'),
    });
  });
});

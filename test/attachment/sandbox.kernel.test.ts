import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { observeEnds, openRemainingSandbox, openSandbox, assertInterfaceFree } from '../../src/attachment/sandbox.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { planAttachment } from '../../src/plan/attachment-steps.ts';
import { anAttachment } from '../support/a-record.ts';
import { attachmentFacts } from '../support/attachment-facts.ts';
import { cniFailure } from '../support/cni-failure.ts';
import { aSandboxInKernel } from '../support/kernel-attachment.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

const LOG = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
const OWN = '/proc/self/ns/net';

function aKernel() {
  const kernel = openKernel();
  onTestFinished(() => kernel[Symbol.asyncDispose]());
  return kernel;
}

describe('CNI_NETNS', () => {
  const refuses = (what: string, sandboxPath: string) =>
    it(`is refused by ADD, and gone for DEL: ${what}`, () => {
      const kernel = aKernel();
      const request = { sandboxPath, mayUseOwnNetns: false };
      const { code, message, details } = cniFailure(() => openSandbox(request, kernel));
      expect(code).toBe(ERROR_CODE.invalidSandbox);
      expect(`${message} ${details}`).not.toMatch(/not found/i);
      expect(openRemainingSandbox(request, { kernel, log: LOG })).toBeUndefined();
    });
  refuses('nothing is there', '/run/none');
  refuses('a plain file', '/etc/hostname');
  refuses('a folder', '/run');
  refuses('another kind of namespace', '/proc/self/ns/uts');

  it('that is not given is gone for DEL', () =>
    expect(
      openRemainingSandbox({ sandboxPath: undefined, mayUseOwnNetns: false }, { kernel: aKernel(), log: LOG }),
    ).toBeUndefined());

  it('of the node itself is refused by both, unless it is meant', () => {
    const kernel = aKernel();
    const request = { sandboxPath: OWN, mayUseOwnNetns: false };
    expect(cniFailure(() => openSandbox(request, kernel)).code).toBe(ERROR_CODE.invalidSandbox);
    expect(cniFailure(() => openRemainingSandbox(request, { kernel, log: LOG })).code).toBe(ERROR_CODE.invalidSandbox);
    expect(openSandbox({ ...request, mayUseOwnNetns: true }, kernel)).toMatchObject({ isOwnNetns: true });
  });
});

describe('an interface of the wanted name', () => {
  it('in the sandbox is refused by its name', async () => {
    const { kernel, sandbox, pod } = await aSandboxInKernel();
    const { interfaceName } = anAttachment();
    await assertInterfaceFree(sandbox, interfaceName, kernel);
    await pod.ip('link', 'add', 'eth0', 'type', 'bridge');
    await expect(assertInterfaceFree(sandbox, interfaceName, kernel)).rejects.toMatchObject({
      code: ERROR_CODE.interfaceTaken,
      details: expect.stringContaining('bridge'),
    });
  });
});

describe('a veth pair that has been made', () => {
  async function aPair(name: string, address: string) {
    const { kernel, sandbox } = await aSandboxInKernel();
    await kernel.apply(
      planAttachment(attachmentFacts({ hostInterface: { name, alias: name }, addresses: [address] })),
      sandbox,
    );
    return () => observeEnds(name, 'eth0', sandbox, kernel);
  }

  it('is observed at both ends', async () => {
    const observe = await aPair('calipair1', '10.81.0.1');
    expect(await observe()).toMatchObject({
      hostInterface: { name: 'calipair1' },
      containerInterface: { name: 'eth0' },
    });
  });

  it('is refused if somebody has changed the MAC that IPv6 routes rely on', async () => {
    const observe = await aPair('calipair2', '10.81.0.2');
    await hostNamespace().ip('link', 'set', 'calipair2', 'address', '02:00:00:00:00:01');
    await expect(observe()).rejects.toMatchObject({
      code: ERROR_CODE.kernelRefused,
      message: expect.stringContaining('02:00:00:00:00:01'),
    });
  });

  it('is refused if an end is gone', async () => {
    const observe = await aPair('calipair3', '10.81.0.3');
    await hostNamespace().ip('link', 'delete', 'calipair3');
    await expect(observe()).rejects.toMatchObject({ message: expect.stringContaining('one end is gone') });
  });
});

import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmptySandbox, openRemainingSandbox, openSandbox } from '../../src/attachment/sandbox.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachmentId, journalFolders } from '../support/builders/attachment.ts';
import { sandboxInKernel } from '../support/kernel/attached-pod.ts';

const log = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
const OWN = '/proc/self/ns/net';

function kernelForTest() {
  const kernel = openKernel();
  onTestFinished(() => kernel[Symbol.asyncDispose]());
  return kernel;
}

describe('CNI_NETNS', () => {
  const rejects = (what: string, sandboxPath: string) =>
    it(`that is ${what} fails ADD, and is a removed sandbox for DEL`, async () => {
      const effects = { kernel: kernelForTest(), log };
      const request = { sandboxPath, mayUseOwnNetns: false };
      await expect(openSandbox(request, effects)).rejects.toMatchObject({
        code: ERROR_CODE.invalidSandbox,
        message: expect.not.stringMatching(/not found/i),
        details: expect.not.stringMatching(/not found/i),
      });
      expect(await openRemainingSandbox(request, effects)).toBeUndefined();
    });
  rejects('missing', '/run/none');
  rejects('a plain file', '/etc/hostname');
  rejects('a folder', '/run');
  rejects('another kind of namespace', '/proc/self/ns/uts');

  it('that is not given is a removed sandbox for DEL', async () =>
    expect(
      await openRemainingSandbox({ sandboxPath: undefined, mayUseOwnNetns: false }, { kernel: kernelForTest(), log }),
    ).toBeUndefined());

  it('that is the node itself fails ADD and is a removed sandbox for DEL, unless CNI_NETNS_OVERRIDE allows it', async () => {
    const effects = { kernel: kernelForTest(), log };
    const request = { sandboxPath: OWN, mayUseOwnNetns: false };
    await expect(openSandbox(request, effects)).rejects.toMatchObject({ code: ERROR_CODE.invalidSandbox });
    expect(await openRemainingSandbox(request, effects)).toBeUndefined();
    expect(await openSandbox({ ...request, mayUseOwnNetns: true }, effects)).toMatchObject({ isOwnNetns: true });
  });
});

describe('openEmptySandbox', () => {
  it('rejects a sandbox that has an interface of the name', async () => {
    const { kernel, pod } = await sandboxInKernel();
    using folder = makeFolder();
    const journal = openJournal('net', log, journalFolders(folder.path));
    const request = { sandboxPath: pod.path, mayUseOwnNetns: false, id: attachmentId() };
    expect(await openEmptySandbox(request, { kernel, journal })).toMatchObject({ path: pod.path });
    await pod.ip('link', 'add', 'eth0', 'type', 'bridge');
    await expect(openEmptySandbox(request, { kernel, journal })).rejects.toMatchObject({
      code: ERROR_CODE.interfaceTaken,
      details: expect.stringContaining('bridge'),
    });
    expect(journal.wasRejected(attachmentId())).toBe(true);
  });
});

import { runRealProgram } from '../support/run-program.ts';
import { describe, expect, it } from 'vitest';
import type { Delegate } from '../../src/delegate/delegate.ts';
import { detach, detachRecorded } from '../../src/attachment/detach.ts';
import type { AttachmentRecord } from '../../src/journal/record.ts';
import { planAttachment } from '../../src/plan/attachment-steps.ts';
import { openDelegate } from '../../src/delegate/delegate.ts';
import { anAttachment, recordFacts } from '../support/a-record.ts';
import { attachmentFacts } from '../support/attachment-facts.ts';
import { fakeDelegate } from '../support/fake-delegate.ts';
import { aSandboxInKernel } from '../support/kernel-attachment.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

const RELEASE = { type: 'fake', config: { cniVersion: '1.0.0', name: 'net' }, families: [] } as const;

function delegateOf(script: string): Delegate {
  const environment = { PATH: process.env['PATH'] };
  return openDelegate({
    environment,
    pluginPath: [fakeDelegate(script)],
    budgetMs: 10_000,
    runProgram: runRealProgram,
  });
}
/** An IPAM plugin that refuses to release while there is such an interface. */
const refuseWhileThere = (name: string) =>
  delegateOf(`if ip link show ${name} >/dev/null 2>&1; then echo '{"code":100,"msg":"the link is there"}'; exit 1; fi`);

// One each: with its sandbox a link goes a moment later than the next test begins.
let addresses = 0;

async function anAttached(name: string, alias: string) {
  const { kernel, sandbox, pod } = await aSandboxInKernel();
  const facts = attachmentFacts({ hostInterface: { name, alias }, addresses: [`10.81.1.${++addresses}`] });
  await kernel.apply(planAttachment(facts), sandbox);
  const isThere = async () => (await kernel.observeInterface('host', name)) !== undefined;
  const target = { attachment: anAttachment(), sandboxPath: pod.path, cniArgs: '' };
  return {
    kernel,
    sandbox,
    isThere,
    target,
    onNode: { target, sandbox: undefined, hostInterfaces: [name], release: RELEASE } as const,
  };
}

describe('what is taken off the node', () => {
  it('the link goes before the lease', async () => {
    const { kernel, isThere, onNode } = await anAttached('calidet1', 'podwire c1 eth0 net default/web');
    await detach({ ...onNode, unmarked: 'foreign' }, { kernel, delegate: refuseWhileThere('calidet1') });
    expect(await isThere()).toBe(false);
  });

  it('nothing is there any more: that succeeds, and the lease is released', async () => {
    const { kernel, sandbox, target } = await anAttached('calidet2', 'podwire c1 eth0 net default/web');
    const onNode = {
      target,
      sandbox,
      hostInterfaces: ['calidet2', 'calinone'],
      unmarked: 'foreign',
      release: RELEASE,
    } as const;
    for (let round = 0; round < 2; round++) await detach(onNode, { kernel, delegate: delegateOf('') });
    await expect(detach(onNode, { kernel, delegate: delegateOf('exit 1') })).rejects.toMatchObject({ code: 102 });
  });

  const keeps = (what: string, name: string, alias: string, unmarked: 'ours' | 'foreign', isKept: boolean) =>
    it(what, async () => {
      const { kernel, isThere, onNode } = await anAttached(name, alias);
      await detach({ ...onNode, unmarked }, { kernel, delegate: delegateOf('') });
      expect(await isThere()).toBe(isKept);
    });
  keeps('another attachment’s host interface stays', 'calidet3', 'podwire c2 eth0 net default/web', 'ours', true);
  keeps(
    'one of the same container on another network stays',
    'calidet4',
    'podwire c1 net1 net default/web',
    'ours',
    true,
  );
  keeps('an unmarked one stays, if it could be another plugin’s', 'calidet5', 'something', 'foreign', true);
  keeps('an unmarked one goes, if it is what a killed ADD has left', 'calidet6', 'something', 'ours', false);

  it('an interface of that name that is no veth stays', async () => {
    const { kernel, target } = await anAttached('calidet7', 'podwire c1 eth0 net default/web');
    await hostNamespace().ip('link', 'add', 'calidet8', 'type', 'bridge');
    const onNode = {
      target,
      sandbox: undefined,
      hostInterfaces: ['calidet8'],
      unmarked: 'ours',
      release: RELEASE,
    } as const;
    await detach(onNode, { kernel, delegate: delegateOf('') });
    expect(await kernel.observeInterface('host', 'calidet8')).toBeDefined();
    await hostNamespace().ip('link', 'delete', 'calidet8');
  });

  it.each([
    ['attaching', false],
    ['attached', true],
  ] as const)('of a record in the stage %s an unmarked interface stays: %o', async (stage, isKept) => {
    const name = `calid${stage}`;
    const { kernel, isThere } = await anAttached(name, 'something');
    const facts = recordFacts({ hostInterface: name, release: RELEASE });
    const record: AttachmentRecord = { ...facts, stage, bootId: 'b', process: { pid: 1, startTicks: '1' } };
    await detachRecorded(anAttachment(), record, { kernel, delegate: delegateOf('') });
    expect(await isThere()).toBe(isKept);
  });
});

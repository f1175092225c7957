import { describe, expect, it } from 'vitest';
import { detach, findLinks, stopPredecessor } from '../../src/attachment/detach.ts';
import { openDelegate, type Delegate } from '../../src/delegate/delegate.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import type { Detachment } from '../../src/plan/detachment.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId, journalFolders } from '../support/builders/attachment.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { killRealProcess, startRealProgram, tryRealLock } from '../support/delegates/real-program.ts';
import { sandboxInKernel } from '../support/kernel/attached-pod.ts';

const RELEASE = { type: 'fake', config: { cniVersion: '1.0.0', name: 'net' }, families: [] } as const;
const log = { warning: () => undefined };

function delegateOf(script: string): Delegate {
  const environment = { PATH: process.env['PATH'] };
  return openDelegate({
    environment,
    pluginPath: [fakeDelegate(script)],
    budgetMs: 10_000,
    startProgram: startRealProgram,
    killProcess: killRealProcess,
    tryLock: tryRealLock,
  });
}
/** An IPAM plugin that cannot release a lease while an interface of this name exists. */
const failsWhileThere = (name: string) =>
  delegateOf(`if ip link show ${name} >/dev/null 2>&1; then echo '{"code":100,"msg":"the link is there"}'; exit 1; fi`);

// Each test uses another address: a link is deleted a moment after its sandbox, when the next test has begun.
let addresses = 0;
const emptyJournal = openJournal('net', log, journalFolders('/run/podwire-none'));

/** An attachment of container c1 whose host interface has this name and alias. */
async function attach(name: string, alias: string) {
  const { kernel, sandbox } = await sandboxInKernel();
  const facts = attachmentFacts({ hostInterface: { name, alias }, addresses: [`10.81.1.${++addresses}`] });
  await kernel.apply(planAttachmentSteps(facts), sandbox);
  const exists = async (host = name) => (await kernel.observeInterface('host', host)) !== undefined;
  const detachment: Detachment = {
    attachment: attachment({ hostInterfaceName: name, release: RELEASE }),
    hostInterfaceNames: [name],
    ifUnlabelled: 'foreign',
    predecessor: 'none',
  };
  const effectsWith = (delegate: Delegate) => ({ kernel, delegate, journal: emptyJournal });
  return { kernel, sandbox, exists, detachment, effectsWith };
}

describe('detach', () => {
  it('deletes the link before it releases the lease', async () => {
    const { exists, detachment, effectsWith } = await attach('calidet1', 'podwire c1 eth0 net default/web');
    await detach(detachment, effectsWith(failsWhileThere('calidet1')));
    expect(await exists()).toBe(false);
  });

  it('succeeds and releases the lease if no link is left', async () => {
    const { detachment, effectsWith } = await attach('calidet2', 'podwire c1 eth0 net default/web');
    const names = { ...detachment, hostInterfaceNames: ['calidet2', 'calinone'] };
    for (let round = 0; round < 2; round++) await detach(names, effectsWith(delegateOf('')));
    await expect(detach(names, effectsWith(delegateOf('exit 1')))).rejects.toMatchObject({ code: 102 });
  });

  const detaches = (what: string, name: string, alias: string, overrides: Partial<Detachment>, isKept: boolean) =>
    it(what, async () => {
      const { exists, detachment, effectsWith } = await attach(name, alias);
      await detach({ ...detachment, ...overrides }, effectsWith(delegateOf('')));
      expect(await exists()).toBe(isKept);
    });
  const ours = { ifUnlabelled: 'ours' } as const;
  const alias = 'podwire c2 eth0 net default/web';
  detaches('leaves the host interface of another attachment alone', 'calidet3', alias, ours, true);
  const net1 = 'podwire c1 net1 net default/web';
  detaches('leaves another interface of the same container alone', 'calidet4', net1, ours, true);
  detaches('leaves an unlabelled interface alone that may be another plugin’s', 'calidet5', 'something', {}, true);
  detaches('deletes an unlabelled interface that a killed ADD left', 'calidet6', 'something', ours, false);

  it('leaves an interface alone that is not a veth', async () => {
    const { exists, detachment, effectsWith } = await attach('calidet7', 'podwire c1 eth0 net default/web');
    await hostNamespace().ip('link', 'add', 'calidet8', 'type', 'bridge');
    await detach({ ...detachment, ...ours, hostInterfaceNames: ['calidet8'] }, effectsWith(delegateOf('')));
    expect(await exists('calidet8')).toBe(true);
    await hostNamespace().ip('link', 'delete', 'calidet8');
  });
});

describe('findLinks', () => {
  const finds = (what: string, name: string, alias: string, hostInterfaceNames: readonly string[], isFound: boolean) =>
    it(what, async () => {
      const { kernel, sandbox, detachment } = await attach(name, alias);
      const links = await findLinks({ ...detachment, hostInterfaceNames }, sandbox, { journal: emptyJournal, kernel });
      expect(links.map(({ where, end }) => [where, end.name])).toEqual(isFound ? [['host', name]] : []);
    });
  const ours = 'podwire c1 eth0 net default/web';
  finds('finds the peer of the container interface by its alias', 'calidet9', ours, ['calinone'], true);
  finds('finds an unlabelled peer that has the name of the earlier plugin', 'calidet10', '', ['calidet10'], true);
  finds('leaves an unlabelled peer with another name alone', 'calidet11', '', ['calinone'], false);
  finds('leaves the peer of another container alone', 'calidet12', 'podwire c2 eth0 net x/y', ['calidet12'], false);
  finds('leaves the peer of another network alone', 'calidet13', 'podwire c1 eth0 other x/y', ['calidet13'], false);

  it.each([
    ['leaves an unlabelled interface alone that a living attachment is creating', 'attaching', 0],
    ['finds an unlabelled interface if a later attachment is replaced', 'replaced', 1],
  ] as const)('%s', async (_, stage, count) => {
    using folder = makeFolder();
    const journal = openJournal('net', log, journalFolders(folder.path));
    const name = `calidet-${stage}`.slice(0, 15);
    const { kernel, detachment } = await attach(name, '');
    const later = attachment({ id: attachmentId('c2'), hostInterfaceName: name });
    journal.begin(later);
    if (stage === 'replaced') journal.markReplaced(later);
    const links = await findLinks({ ...detachment, ifUnlabelled: 'ours' }, undefined, { journal, kernel });
    expect(links).toHaveLength(count);
  });

  it('finds nothing without a sandbox', async () => {
    const { kernel, detachment } = await attach('calidet14', '');
    expect(await findLinks(detachment, undefined, { journal: emptyJournal, kernel })).toEqual([]);
  });
});

describe('stopPredecessor', () => {
  const stops = (predecessor: Detachment['predecessor'], expected: unknown) =>
    it(`handles an ADD that is ${predecessor}`, async () => {
      using folder = makeFolder();
      const journal = openJournal('net', log, journalFolders(folder.path));
      const web = attachment({ release: RELEASE });
      journal.begin(web);
      const detachment = { attachment: web, hostInterfaceNames: [], ifUnlabelled: 'foreign', predecessor } as const;
      await stopPredecessor(detachment, { delegate: delegateOf(''), journal });
      const item = journal.find(web.id);
      expect(item?.kind === 'record' ? item.record.stage : item).toBe(expected);
    });
  stops('running', 'superseded');
  stops('killed', 'attaching');
  stops('finished', 'detaching');
  stops('none', 'attaching');
});

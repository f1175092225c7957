import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findKnownAttachment, findLabelled, listLabelled } from '../../src/attachment/find-known.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachmentFromRequest } from '../../src/plan/attachment.ts';
import { attachment, attachmentId, sha1, journalFolders } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const CONFIG = networkConfig({ name: 'find-known' });
const ID = attachmentId('known');
const ARGS = { pod: { namespace: 'default', name: 'web' }, podUid: undefined, raw: '' };
const REQUEST = { id: ID, args: ARGS, config: CONFIG, sandboxPath: undefined };

function setUp() {
  const folder = makeFolder();
  const kernel = openKernel();
  onTestFinished(async () => {
    await kernel[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const log = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
  const journal = openJournal(CONFIG.name, log, journalFolders(folder.path));
  const damage = () => writeFileSync(join(folder.path, 'networks', CONFIG.name, 'known@eth0.record.json'), '{');
  return { effects: { journal, kernel, log }, journal, damage };
}

/** Creates a veth with this alias, which exists until the test ends. */
async function label(name: string, alias: string): Promise<void> {
  const host = hostNamespace();
  await host.ip('link', 'add', name, 'type', 'veth');
  await host.ip('link', 'set', name, 'alias', alias);
  onTestFinished(async () => void (await host.ip('link', 'delete', name)));
}

describe('findKnownAttachment', () => {
  it('knows nothing without a record', async () =>
    expect(await findKnownAttachment(REQUEST, setUp().effects)).toEqual({ kind: 'labelled', labelled: [] }));

  it('knows what the record says, and whether its ADD is running', async () => {
    const { effects, journal } = setUp();
    const begun = attachment({ id: ID, network: CONFIG.name });
    journal.begin(begun);
    expect(await findKnownAttachment(REQUEST, effects)).toEqual({
      kind: 'recorded',
      attachment: begun,
      stage: 'attaching',
      isInProgress: true,
    });
  });

  it('falls back to aliases if the record is damaged', async () => {
    const { effects, journal, damage } = setUp();
    journal.begin(attachment({ id: ID, network: CONFIG.name }));
    damage();
    await label('pwknown1', 'podwire known eth0 find-known default/web');
    expect(await findKnownAttachment(REQUEST, effects)).toMatchObject({
      kind: 'labelled',
      labelled: [{ id: ID, hostInterface: { name: 'pwknown1' }, pod: { namespace: 'default', name: 'web' } }],
    });
  });
});

describe('findLabelled and listLabelled', () => {
  it('tell networks apart, and list only names that are valid', async () => {
    const { effects } = setUp();
    await label('pwknown2', 'podwire known net1 find-known ');
    await label('pwknown3', 'podwire known eth0 other-network default/web');
    await label('pwknown4', 'podwire ../x eth0 find-known default/web');
    await label('pwknown5', 'not ours');
    const names = (await listLabelled(CONFIG, effects)).map(({ hostInterface }) => hostInterface.name);
    expect(names).toEqual(['pwknown2', 'pwknown3']);
    expect(await findLabelled(attachmentId('known', 'net1'), CONFIG, effects)).toHaveLength(1);
    expect(await findLabelled(ID, CONFIG, effects)).toEqual([]);
  });

  it('another network’s attachment applies if this one was renamed, and not if this network rejected its ADD', async () => {
    const { effects, journal } = setUp();
    await label(attachmentFromRequest(REQUEST, sha1).hostInterface.name, 'podwire known eth0 earlier-name default/web');
    expect(await findKnownAttachment(REQUEST, effects)).toMatchObject({
      kind: 'labelled',
      labelled: [{ network: 'earlier-name', release: { config: { name: 'earlier-name' } } }],
    });
    journal.noteRejected(ID);
    expect(await findKnownAttachment(REQUEST, effects)).toEqual({ kind: 'rejected' });
  });

  it('the note of a rejected ADD is removed when the other network’s interface is gone', async () => {
    const { effects, journal } = setUp();
    journal.noteRejected(ID);
    await findKnownAttachment(REQUEST, effects);
    expect(journal.wasRejected(ID)).toBe(false);
  });
});

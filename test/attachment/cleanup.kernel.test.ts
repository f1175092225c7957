import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { parseJsonObject } from '../../src/json/json.ts';
import { cleanUpBeforeAdd, cleanUpItem, cleanUpUnrecorded } from '../../src/attachment/cleanup.ts';
import { openDelegate } from '../../src/delegate/delegate.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId, journalFolders } from '../support/builders/attachment.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import { killRealProcess, startRealProgram, tryRealLock } from '../support/delegates/real-program.ts';

const CONFIG = networkConfig({ name: 'net', ipam: { type: 'fake', subnet: '10.0.0.0/24' } });
const C1 = attachmentId();
const DEAD = { pid: 2 ** 22 + 1, startTicks: '1' };
const RELEASE = { type: 'fake', config: { cniVersion: '1.0.0', name: 'net' }, families: [] } as const;

function setUp(script = '') {
  const folder = makeFolder();
  const kernel = openKernel();
  onTestFinished(async () => {
    await kernel[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  const log = { debug: () => undefined, info: () => undefined, warning: note, error: note };
  const journal = openJournal('net', log, journalFolders(folder.path));
  const record = join(folder.path, 'networks/net', 'c1@eth0.record.json');
  const leave = (overrides: object): void => {
    journal.begin(attachment({ release: RELEASE, hostInterfaceName: 'pwleftover' }));
    const left = parseJsonObject(readFileSync(record));
    writeFileSync(record, JSON.stringify({ ...left, process: DEAD, ...overrides }));
  };
  const pluginPath = [fakeDelegate(script)];
  const delegate = openDelegate({
    environment: { PATH: process.env['PATH'] },
    pluginPath,
    budgetMs: 10_000,
    startProgram: startRealProgram,
    killProcess: killRealProcess,
    tryLock: tryRealLock,
  });
  const effects = { journal, kernel, log, delegate };
  return { effects, journal, warnings, leave, damage: () => writeFileSync(record, '{') };
}

describe('cleanUpItem', () => {
  it('notes that the endpoint of the pod remains to be cleared', async () => {
    const { effects, journal, leave } = setUp();
    leave({ stage: 'attached' });
    const [item] = journal.list();
    if (item !== undefined) await cleanUpItem(item, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints().length]).toEqual([[], 1]);
  });

  it('keeps no note without a pod', async () => {
    const { effects, journal, leave } = setUp();
    leave({ stage: 'attached', pod: undefined });
    const [item] = journal.list();
    if (item !== undefined) await cleanUpItem(item, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints()]).toEqual([[], []]);
  });

  it('releases by the name of its file what a damaged record described', async () => {
    const { effects, journal, leave, damage, warnings } = setUp();
    leave({});
    damage();
    await cleanUpItem({ kind: 'damaged', id: C1, network: 'net' }, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints()]).toEqual([[], []]);
    expect(warnings).toEqual([expect.stringContaining('the record of container c1, eth0, is damaged')]);
  });

  it('keeps the record if the lease cannot be released', async () => {
    const { effects, journal, leave } = setUp('exit 1');
    leave({ stage: 'attached' });
    const [item] = journal.list();
    await expect(item && cleanUpItem(item, CONFIG, effects)).rejects.toMatchObject({ code: ERROR_CODE.delegateFailed });
    expect(journal.list()).toHaveLength(1);
  });
});

describe('cleanUpUnrecorded', () => {
  it('releases the lease, and keeps no note without a pod', async () => {
    const { effects, journal } = setUp();
    await cleanUpUnrecorded(C1, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints()]).toEqual([[], []]);
  });
});

describe('cleanUpBeforeAdd', () => {
  const finds = (what: string, left: object | undefined, expected: number | undefined) =>
    it(what, async () => {
      const { effects, journal, leave } = setUp();
      journal.beginSweep();
      if (left !== undefined) leave(left);
      const cleaning = cleanUpBeforeAdd(C1, CONFIG, effects);
      if (expected === undefined) await cleaning;
      else await expect(cleaning).rejects.toMatchObject({ code: expected });
      expect(journal.list()).toHaveLength(expected === undefined ? 0 : 1);
    });
  finds('does nothing without a record', undefined, undefined);
  finds('removes what a killed ADD left', { stage: 'attaching' }, undefined);
  finds('removes what an earlier boot left', { stage: 'attached', bootId: 'earlier' }, undefined);
  finds('fails if the attachment exists', { stage: 'attached' }, ERROR_CODE.interfaceTaken);

  it('fails while another ADD of the attachment is running', async () => {
    const { effects, journal } = setUp();
    journal.begin(attachment());
    await expect(cleanUpBeforeAdd(C1, CONFIG, effects)).rejects.toMatchObject({ code: ERROR_CODE.tryAgainLater });
  });

  it('releases what earlier boots left, once after a boot, and nothing of this boot', async () => {
    const { effects, journal, leave } = setUp();
    leave({ stage: 'attached', bootId: 'earlier' });
    journal.begin(attachment({ id: attachmentId('c2') }));
    await cleanUpBeforeAdd(attachmentId('c3'), CONFIG, effects);
    expect(journal.list().map(({ id }) => id.containerId)).toEqual(['c2']);
    expect(journal.beginSweep()).toBe(false);
  });

  it('continues after what it cannot release, and leaves it to GC', async () => {
    const { effects, journal, leave, warnings } = setUp('exit 1');
    leave({ stage: 'attached', bootId: 'earlier' });
    await cleanUpBeforeAdd(attachmentId('c3'), CONFIG, effects);
    expect(journal.list()).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('GC will try again')]);
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { parseJsonObject } from '../../src/json/json.ts';
import {
  beginEntry,
  assertNotSuperseded,
  releaseEarlierBoots,
  releaseItem,
  cleanUpKilledAdd,
} from '../../src/attachment/cleanup.ts';
import { openDelegate } from '../../src/delegate/delegate.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { makeFolder } from '../log/make-folder.ts';
import { anAttachment, recordFacts } from '../support/a-record.ts';
import { cniFailure } from '../support/cni-failure.ts';
import { fakeDelegate } from '../support/fake-delegate.ts';
import { networkConfig } from '../support/network-config.ts';

const CONFIG = networkConfig({ ipam: { type: 'fake', subnet: '10.0.0.0/24' } });
const C1 = anAttachment();
const DEAD = { pid: 2 ** 22 + 1, startTicks: '1' };
const RELEASE = { type: 'fake', config: { cniVersion: '1.0.0', name: 'net' }, families: [] } as const;

function aNode(script = '') {
  const folder = makeFolder();
  const kernel = openKernel();
  onTestFinished(async () => {
    await kernel[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  const log = { debug: () => undefined, info: () => undefined, warning: note, error: note };
  const journal = openJournal('net', log, folder.path);
  const record = join(folder.path, 'net', 'c1@eth0.record.json');
  const leave = (overrides: object): void => {
    journal.begin(C1, recordFacts({ release: RELEASE, hostInterface: 'pwleftover' }));
    const left = parseJsonObject(readFileSync(record));
    writeFileSync(record, JSON.stringify({ ...left, process: DEAD, ...overrides }));
  };
  const pluginPath = [fakeDelegate(script)];
  const delegate = openDelegate({
    environment: { PATH: process.env['PATH'] },
    pluginPath,
    budgetMs: 10_000,
    runProgram: (run) => kernel.runProgram(run),
  });
  const effects = { journal, kernel, log, delegate };
  return { effects, journal, warnings, leave, damage: () => writeFileSync(record, '{') };
}

describe('what one record names', () => {
  it('is released; the endpoint of its pod is still to be cleared', async () => {
    const { effects, journal, leave } = aNode();
    leave({ stage: 'attached' });
    const [item] = journal.list();
    if (item !== undefined) await releaseItem(item, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints().length]).toEqual([[], 1]);
  });

  it('is forgotten, if there is no pod', async () => {
    const { effects, journal, leave } = aNode();
    leave({ stage: 'attached', pod: undefined });
    const [item] = journal.list();
    if (item !== undefined) await releaseItem(item, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints()]).toEqual([[], []]);
  });

  it('is released by the file’s name, if it is damaged', async () => {
    const { effects, journal, leave, damage, warnings } = aNode();
    leave({});
    damage();
    await releaseItem({ attachment: C1, record: 'damaged' }, CONFIG, effects);
    expect([journal.list(), journal.listEndpoints()]).toEqual([[], []]);
    expect(warnings).toEqual([expect.stringContaining('the record of container c1, eth0, is damaged')]);
  });

  it('stays in the journal, if its lease cannot be released', async () => {
    const { effects, journal, leave } = aNode('exit 1');
    leave({ stage: 'attached' });
    const [item] = journal.list();
    await expect(item && releaseItem(item, CONFIG, effects)).rejects.toMatchObject({ code: ERROR_CODE.delegateFailed });
    expect(journal.list()).toHaveLength(1);
  });
});

describe('an ADD', () => {
  const finds = (what: string, leave: object | undefined, outcome: number | undefined) =>
    it(what, async () => {
      const { effects, journal, leave: put } = aNode();
      if (leave !== undefined) put(leave);
      const release = cleanUpKilledAdd(C1, CONFIG, effects);
      if (outcome === undefined) await release;
      else await expect(release).rejects.toMatchObject({ code: outcome });
      expect(journal.list()).toHaveLength(outcome === undefined ? 0 : 1);
    });
  finds('that finds no record goes on', undefined, undefined);
  finds('takes down what a killed one has left', { stage: 'attaching' }, undefined);
  finds('takes down what an earlier boot has left', { stage: 'attached', bootId: 'earlier' }, undefined);
  finds('is refused, if it is attached', { stage: 'attached' }, ERROR_CODE.interfaceTaken);

  it('is refused while another one is at work, and so is one that begins at the same time', async () => {
    const { effects, journal } = aNode();
    beginEntry(C1, recordFacts(), journal);
    await expect(cleanUpKilledAdd(C1, CONFIG, effects)).rejects.toMatchObject({ code: ERROR_CODE.tryAgainLater });
    expect(cniFailure(() => beginEntry(C1, recordFacts(), journal)).code).toBe(ERROR_CODE.tryAgainLater);
  });

  it('that a DEL has overtaken prints no result', () => {
    const { journal } = aNode();
    const entry = beginEntry(C1, recordFacts(), journal);
    assertNotSuperseded(entry, C1);
    journal.remove(C1);
    expect(cniFailure(() => assertNotSuperseded(entry, C1)).code).toBe(ERROR_CODE.tryAgainLater);
  });
});

describe('the first ADD after a boot', () => {
  it('releases what earlier boots have left, and nothing of this one', async () => {
    const { effects, journal, leave } = aNode();
    leave({ stage: 'attached', bootId: 'earlier' });
    journal.begin(anAttachment('c2'), recordFacts());
    await releaseEarlierBoots(CONFIG, effects);
    expect(journal.list().map(({ attachment }) => attachment.containerId)).toEqual(['c2']);
    expect(journal.beginSweep()).toBe(false);
  });

  it('goes on past what it cannot release, and leaves it to GC', async () => {
    const { effects, journal, leave, warnings } = aNode('exit 1');
    leave({ stage: 'attached', bootId: 'earlier' });
    await releaseEarlierBoots(CONFIG, effects);
    expect(journal.list()).toHaveLength(1);
    expect(warnings).toEqual([expect.stringContaining('GC will try again')]);
  });
});

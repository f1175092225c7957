import { describe, expect, it, onTestFinished } from 'vitest';
import { beginAttachment } from '../../src/attachment/undo.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, journalFolders } from '../support/builders/attachment.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';

const WEB = attachment();

function setUp() {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const logged: string[] = [];
  const note = (message: string) => void logged.push(message);
  const log = { debug: note, info: note, warning: note, error: note };
  const journal = openJournal('net', log, journalFolders(folder.path));
  return { journal, logged, begin: () => beginAttachment(WEB, { journal, log }) };
}

describe('beginAttachment', () => {
  it('writes the record before anything else', async () => {
    const { journal, begin } = setUp();
    await using _undo = begin();
    expect(journal.find(WEB.id)).toMatchObject({ record: { stage: 'attaching' } });
  });

  it('fails if another ADD of the attachment has begun', async () => {
    const { begin } = setUp();
    await using _undo = begin();
    expect(cniFailure(begin).code).toBe(ERROR_CODE.tryAgainLater);
  });
});

describe('an undo', () => {
  it('runs its actions in reverse order and removes the record last', async () => {
    const { journal, begin } = setUp();
    const order: string[] = [];
    const undo = begin();
    for (const what of ['link', 'endpoint']) {
      undo.add(what, async () => {
        order.push(`${what}, record ${journal.find(WEB.id) === undefined ? 'removed' : 'there'}`);
      });
    }
    await undo[Symbol.asyncDispose]();
    expect(order).toEqual(['endpoint, record there', 'link, record there']);
    expect(journal.find(WEB.id)).toBeUndefined();
  });

  it('continues after an action that fails, does not throw, and keeps the record for DEL', async () => {
    const { journal, logged, begin } = setUp();
    const order: string[] = [];
    const undo = begin();
    undo.add('link and lease', async () => void order.push('link and lease'));
    undo.add('endpoint', () => Promise.reject(new Error('EBUSY')));
    await undo[Symbol.asyncDispose]();
    expect(order).toEqual(['link and lease']);
    expect(logged).toContain('cannot undo: endpoint: EBUSY; DEL will try again');
    expect(journal.find(WEB.id)).toMatchObject({ record: { stage: 'attaching' } });
  });
});

describe('commit', () => {
  it('prints, marks the record, and leaves nothing to undo', async () => {
    const { journal, begin } = setUp();
    const done: string[] = [];
    {
      await using undo = begin();
      undo.add('link', async () => void done.push('undone'));
      await undo.commit(async () => void done.push('printed'));
    }
    expect(done).toEqual(['printed']);
    expect(journal.find(WEB.id)).toMatchObject({ record: { stage: 'attached' } });
  });

  it('fails without printing if a DEL has removed the record in the meantime', async () => {
    const { journal, begin } = setUp();
    await using undo = begin();
    journal.remove(WEB);
    const printed: string[] = [];
    const committing = undo.commit(async () => void printed.push('printed'));
    await expect(committing).rejects.toMatchObject({ code: ERROR_CODE.tryAgainLater });
    expect(printed).toEqual([]);
  });

  it('undoes everything if the result cannot be printed', async () => {
    const { journal, begin } = setUp();
    const undo = begin();
    await expect(undo.commit(() => Promise.reject(new Error('EPIPE')))).rejects.toThrow('EPIPE');
    await undo[Symbol.asyncDispose]();
    expect(journal.find(WEB.id)).toBeUndefined();
  });
});

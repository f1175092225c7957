import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openJournal, type Journal } from '../../src/journal/journal.ts';
import { openStatusCache } from '../../src/cluster/status-cache.ts';
import { attachment, journalFolders } from '../support/builders/attachment.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';

const WEB = attachment();
const C1 = WEB.id;

/** A journal on a separate disk. */
function aDisk(): {
  readonly journal: Journal;
  readonly folder: string;
  readonly warnings: string[];
  readonly remount: (options: string) => void;
} {
  assertPrivateNamespace();
  const folder = mkdtempSync('/run/podwire-disk-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'podwire-test', folder]);
  onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, { recursive: true });
  });
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  return {
    journal: openJournal('net', { warning: note }, journalFolders(folder)),
    folder,
    warnings,
    remount: (options) => void execFileSync('mount', ['-o', `remount,${options}`, folder]),
  };
}

function fill(folder: string): void {
  try {
    writeFileSync(join(folder, 'fill'), Buffer.alloc(1024 * 1024));
  } catch {
    // The disk is full now.
  }
}

/** Everything that an ADD and a DEL do with a journal. */
function attachAndDetach(journal: Journal): void {
  expect(journal.beginSweep()).toBe(true);
  journal.endSweep();
  expect([journal.find(C1), journal.list(), journal.listEndpoints()]).toEqual([undefined, [], []]);
  const entry = journal.begin(WEB);
  if (entry === 'exists') throw new Error('there is no record');
  expect(entry.beginReturn()).toBe('current');
  entry.markAttached();
  journal.keepEndpoint(WEB);
  journal.remove(WEB);
}

describe('a journal whose disk', () => {
  it('is full lets ADD and DEL continue, warns, and leaves no partial file', () => {
    const { journal, folder, warnings } = aDisk();
    mkdirSync(join(folder, 'networks/net'), { recursive: true });
    fill(folder);
    attachAndDetach(journal);
    expect(warnings.join('\n')).toContain('ENOSPC');
    expect(readdirSync(join(folder, 'networks/net'))).toEqual([]);
  });

  it('is read-only does the same', () => {
    const { journal, warnings, remount } = aDisk();
    remount('ro');
    attachAndDetach(journal);
    expect(warnings.join('\n')).toContain('EROFS');
  });

  it('fills up later still notes that the runtime has the result', () => {
    const { journal, folder, warnings } = aDisk();
    const entry = journal.begin(WEB);
    fill(folder);
    if (entry === 'exists') throw new Error('there is a record');
    expect(entry.beginReturn()).toBe('current');
    entry.markAttached();
    expect(journal.find(C1)).toMatchObject({ record: { stage: 'attached' } });
    expect(warnings).toEqual([]);
    journal.remove(WEB);
    expect(journal.list()).toEqual([]);
  });

  it('is full still lets a DEL overtake an ADD', () => {
    const { journal, folder, warnings } = aDisk();
    const entry = journal.begin(WEB);
    fill(folder);
    expect(journal.supersede(WEB)).toBe('finished');
    expect(entry !== 'exists' && entry.beginReturn()).toBe('superseded');
    expect(warnings).toEqual([expect.stringContaining('ENOSPC')]);
  });

  it('is full does not store the cached STATUS either', () => {
    const { folder } = aDisk();
    fill(folder);
    const memo = openStatusCache('net', folder);
    memo.write({ failure: undefined, isReachable: true, connectionId: 'id' });
    expect(memo.read()).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['fill']);
  });
});

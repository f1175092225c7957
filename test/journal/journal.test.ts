import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openJournal, type JournalEntry } from '../../src/journal/journal.ts';
import { ownIdentity } from '../../src/system/process-identity.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId, journalFolders } from '../support/builders/attachment.ts';

const C1 = attachmentId();
const WEB = attachment();
const DEAD = { pid: 2 ** 22 + 1, startTicks: '1' };

function aJournal() {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const warnings: string[] = [];
  const note = (message: string) => void warnings.push(message);
  const open = () => openJournal('net', { warning: note }, journalFolders(folder.path));
  const path = (name: string) => join(folder.path, 'networks/net', name);
  return {
    open,
    journal: open(),
    warnings,
    path,
    names: () => readdirSync(join(folder.path, 'networks/net')).toSorted(),
  };
}

/** What an ADD does when it returns its result. */
function attach(entry: JournalEntry): void {
  expect(entry.beginReturn()).toBe('current');
  entry.markAttached();
}

function entered(entry: JournalEntry | 'exists'): JournalEntry {
  if (entry === 'exists') throw new Error('there is a record already');
  return entry;
}

/** Changes a record as if it were from another boot or another process. */
function bend(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
}

describe('an attachment', () => {
  it('is visible to every command from its begin to its end', () => {
    const { journal, open, names } = aJournal();
    const entry = entered(journal.begin(WEB));
    expect(open().find(C1)).toMatchObject({ record: { attachment: WEB, stage: 'attaching', process: ownIdentity() } });
    attach(entry);
    expect(open().find(C1)).toMatchObject({ record: { attachment: WEB, stage: 'attached' } });
    expect(open().list()).toEqual([journal.find(C1)]);
    open().remove(WEB);
    expect([open().find(C1), open().list(), names()]).toEqual([undefined, [], []]);
  });

  it('is in progress only as long as its ADD runs', () => {
    const { journal, path } = aJournal();
    const isInProgress = () =>
      journal.list().map((item) => item.kind === 'record' && journal.isInProgress(item.record));
    const entry = entered(journal.begin(WEB));
    expect(isInProgress()).toEqual([true]);
    attach(entry);
    expect(isInProgress()).toEqual([false]);
    bend(path('c1@eth0.record.json'), { stage: 'attaching', process: DEAD });
    expect(isInProgress()).toEqual([false]);
  });

  it('is not begun while another ADD of it runs, nor while a record of one is left', () => {
    const { journal } = aJournal();
    entered(journal.begin(WEB));
    expect(journal.begin(attachment({ sandboxPath: '/run/netns/other' }))).toBe('exists');
    expect(journal.find(C1)).toMatchObject({ record: { attachment: WEB } });
    expect(journal.begin(attachment({ id: attachmentId('c1', 'net1') }))).not.toBe('exists');
    expect(journal.list()).toHaveLength(2);
  });

  it('whose record a DEL has removed has no record again, even if its ADD continues or another ADD has begun since', () => {
    const { journal, open, names } = aJournal();
    const entry = entered(journal.begin(WEB));
    open().remove(WEB);
    expect(entry.beginReturn()).toBe('superseded');
    entry.markAttached();
    entry.remove();
    expect(names()).toEqual([]);
    const later = entered(open().begin(attachment({ sandboxPath: '/run/netns/other' })));
    expect(entry.beginReturn()).toBe('superseded');
    expect(later.beginReturn()).toBe('current');
  });

  it('whose ADD a DEL supersedes keeps its record until that ADD removes it', () => {
    const { journal, open, names } = aJournal();
    const entry = entered(journal.begin(WEB));
    expect(open().supersede(WEB)).toBe('superseded');
    expect(open().supersede(WEB)).toBe('superseded');
    expect(journal.find(C1)).toMatchObject({ record: { stage: 'superseded', process: ownIdentity() } });
    expect(journal.begin(WEB)).toBe('exists');
    expect(entry.beginReturn()).toBe('superseded');
    entry.markAttached();
    expect(journal.find(C1)).toMatchObject({ record: { stage: 'superseded' } });
    entry.remove();
    expect(names()).toEqual([]);
  });

  it('whose ADD returns its result cannot be superseded, and gets no new record after its DEL', () => {
    const { journal, open, names } = aJournal();
    const entry = entered(journal.begin(WEB));
    expect(entry.beginReturn()).toBe('current');
    expect(journal.find(C1)).toMatchObject({ record: { attachment: WEB, stage: 'returning' } });
    expect(open().supersede(WEB)).toBe('finished');
    open().markDetaching(WEB);
    open().remove(WEB);
    entry.markAttached();
    expect(names()).toEqual([]);
  });

  it('whose ADD has just undone its work needs no superseding', () => {
    const { journal, warnings } = aJournal();
    entered(journal.begin(WEB)).remove();
    expect([journal.supersede(WEB), warnings]).toEqual(['finished', []]);
  });

  it('whose ADD is run by another process keeps its record when a DEL removes it', () => {
    const { journal, path } = aJournal();
    entered(journal.begin(WEB));
    const stat = readFileSync('/proc/1/stat', 'utf8');
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    bend(path('c1@eth0.record.json'), { process: { pid: 1, startTicks } });
    journal.remove(WEB);
    expect(journal.find(C1)).toMatchObject({ record: { stage: 'attaching' } });
  });

  it('of which only the endpoint remains is in the other list, until a new ADD begins', () => {
    const { journal } = aJournal();
    attach(entered(journal.begin(WEB)));
    journal.keepEndpoint(WEB);
    expect([journal.list(), journal.find(C1)]).toEqual([[], undefined]);
    expect(journal.listEndpoints()).toMatchObject([{ id: C1, record: { stage: 'endpoint' } }]);
    entered(journal.begin(WEB));
    expect(journal.listEndpoints()).toEqual([]);
  });

  it('of an earlier boot is recognized as such', () => {
    const { journal, path } = aJournal();
    attach(entered(journal.begin(WEB)));
    const isOfEarlierBoot = () =>
      journal.list().map((item) => item.kind === 'record' && journal.isOfEarlierBoot(item.record));
    expect(isOfEarlierBoot()).toEqual([false]);
    bend(path('c1@eth0.record.json'), { bootId: '00000000-0000-0000-0000-000000000000' });
    expect(isOfEarlierBoot()).toEqual([true]);
  });
});

describe('a record that cannot be read', () => {
  const damaged = (what: string, damage: (path: string) => void) =>
    it(`is damaged, and its file name still identifies the attachment: ${what}`, () => {
      const { journal, path } = aJournal();
      entered(journal.begin(WEB));
      damage(path('c1@eth0.record.json'));
      expect(journal.find(C1)).toEqual({ kind: 'damaged', id: C1, network: 'net' });
      expect(journal.list()).toEqual([{ kind: 'damaged', id: C1, network: 'net' }]);
      journal.remove(WEB);
      expect(journal.list()).toEqual([]);
    });
  damaged('empty', (path) => writeFileSync(path, ''));
  damaged('half', (path) => writeFileSync(path, readFileSync(path).subarray(0, 40)));
  damaged('zeros', (path) => writeFileSync(path, Buffer.alloc(200)));

  const instead = (make: (path: string) => void) => (path: string) => {
    rmSync(path);
    make(path);
  };
  damaged('larger than a record can be', (path) => appendFileSync(path, ' '.repeat(10_000_000)));
  damaged(
    'a folder',
    instead((path) => mkdirSync(join(path, 'inner'), { recursive: true })),
  );
  damaged(
    'a FIFO',
    instead((path) => execFileSync('mkfifo', [path])),
  );
  damaged(
    'a link that leads nowhere',
    instead((path) => symlinkSync('/run/podwire-none', path)),
  );

  it('is damaged if it is a link, and what the link leads to stays', () => {
    const { journal, path } = aJournal();
    entered(journal.begin(attachment({ id: attachmentId('c2') })));
    symlinkSync(path('c2@eth0.record.json'), path('c1@eth0.record.json'));
    expect(journal.find(C1)).toMatchObject({ kind: 'damaged' });
    journal.remove(WEB);
    expect(journal.list()).toMatchObject([{ kind: 'record', id: { containerId: 'c2' } }]);
  });

  it('is replaced by the note of its endpoint, whatever has the name of that', () => {
    const { journal, path, warnings } = aJournal();
    mkdirSync(path('c1@eth0.record.json'), { recursive: true });
    mkdirSync(path('c1@eth0.endpoint.json'));
    journal.keepEndpoint(WEB);
    expect([journal.find(C1), journal.listEndpoints().length, warnings]).toEqual([undefined, 1, []]);
  });

  it('is ignored: a file of another name', () => {
    const { journal, path } = aJournal();
    entered(journal.begin(WEB));
    for (const name of [
      'c2@eth0.record.json.0a1b2c.new',
      'c 2@eth0.record.json',
      'c2@.record.json',
      '@eth0.record.json',
      'notes',
    ])
      writeFileSync(path(name), '');
    expect(journal.list()).toHaveLength(1);
    expect(journal.listEndpoints()).toEqual([]);
  });
});

describe('the sweep after a boot', () => {
  it('is given to the first caller', () => {
    const { journal, open } = aJournal();
    expect([journal.beginSweep(), open().beginSweep()]).toEqual([true, false]);
    journal.endSweep();
    expect(open().beginSweep()).toBe(false);
  });

  const BOOT = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const begins = (what: string, swept: string) =>
    it(`begins again: ${what}`, () => {
      const { journal, path } = aJournal();
      journal.beginSweep();
      writeFileSync(path('swept-boot'), swept);
      expect([journal.beginSweep(), journal.beginSweep()]).toEqual([true, false]);
    });
  begins('another boot was swept', '00000000-0000-0000-0000-000000000000\n');
  begins('the process that swept was killed', `${BOOT} ${DEAD.pid} ${DEAD.startTicks}\n`);
  begins('its number is another process’s by now', `${BOOT} ${process.pid} 1\n`);
  begins('the process in the record cannot be read', '');
});

describe('two processes', () => {
  it('that begin one attachment at the same time: only one succeeds', async () => {
    const { path, journal } = aJournal();
    journal.beginSweep();
    const program = `
      import { openJournal } from ${JSON.stringify(join(import.meta.dirname, '../../src/journal/journal.ts'))};
      const journal = openJournal('net', console, ${JSON.stringify(journalFolders(join(path('.'), '../..')))});
      console.log('ready');
      for await (const _ of process.stdin);
      for (let n = 0; n < 200; n++)
        if (journal.begin({ ...${JSON.stringify(WEB)}, id: { containerId: 'c' + n, interfaceName: 'eth0' } }) !== 'exists') console.log(n);`;
    const children = [1, 2].map(() =>
      spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'readable')));
    for (const child of children) child.stdin.end();
    const wins = (await Promise.all(children.map((child) => text(child.stdout)))).join('').match(/\d+/g) ?? [];
    expect(wins.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
    expect(journal.list()).toHaveLength(200);
    expect(statSync(path('c0@eth0.record.json')).mode & 0o777).toBe(0o600);
  });
});

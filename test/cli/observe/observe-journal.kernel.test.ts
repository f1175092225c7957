import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observeJournal } from '../../../src/cli/observe/observe-journal.ts';
import { openJournal } from '../../../src/journal/journal.ts';
import { attachment } from '../../support/builders/attachment.ts';

let root = '';
beforeEach(() => void (root = mkdtempSync('/run/podwire-journal-')));
afterEach(() => rmSync(root, { recursive: true }));

it('reads records, damaged ones and endpoints', () => {
  const records = join(root, 'var/lib/podwire');
  const journal = openJournal('net', { warning: () => undefined }, { records, rejected: join(root, 'rejected') });
  journal.begin(attachment({ network: 'net' }));
  mkdirSync(join(records, 'networks/net'), { recursive: true });
  writeFileSync(join(records, 'networks/net/c9@eth0.record.json'), '{');
  expect(observeJournal('net', openNodeFiles(root, {}))).toMatchObject({
    attachments: [
      { containerId: 'c1', interfaceName: 'eth0', stage: 'attaching', isOfEarlierBoot: false, hasSandbox: undefined },
    ],
    damaged: [{ containerId: expect.any(String), interfaceName: 'eth0', writtenMs: expect.any(Number) }],
    pendingEndpointCount: 0,
  });
});

it('an empty folder has nothing', () =>
  expect(observeJournal('net', openNodeFiles(root, {}))).toEqual({
    attachments: [],
    damaged: [],
    pendingEndpointCount: 0,
  }));

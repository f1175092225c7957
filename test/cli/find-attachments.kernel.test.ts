import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findAttachments, listAttachments } from '../../src/cli/find-attachments.ts';
import { openNodeFiles } from '../../src/cli/observe/node-files.ts';
import { openJournal } from '../../src/journal/journal.ts';
import { attachment } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync('/run/podwire-find-');
  const folders = { records: join(root, 'var/lib/podwire'), rejected: join(root, 'rejected') };
  openJournal('net', { warning: () => undefined }, folders).begin(attachment({ network: 'net' }));
  mkdirSync(join(root, 'leases/net'), { recursive: true });
  writeFileSync(join(root, 'leases/net/10.0.0.2'), 'c1\r\neth0');
});
afterAll(() => rmSync(root, { recursive: true }));

const config = () => networkConfig({ name: 'net', ipam: { type: 'host-local', dataDir: '/leases' } });
const find = (target: string) =>
  findAttachments(target, config(), openNodeFiles(root, {})).map(({ record }) => record.attachment.id.containerId);

it.each(['default/web', 'web', 'cali68caf03a5f4', '10.0.0.2'])('%s names the attachment', (target) =>
  expect(find(target)).toEqual(['c1']),
);
it.each(['other', 'c', '10.0.0.9', 'default'])('%s names none', (target) => expect(find(target)).toEqual([]));
it('lists every attachment with its leases', () =>
  expect(listAttachments(config(), openNodeFiles(root, {}))).toMatchObject([
    { leases: [{ containerId: 'c1' }], startedMs: expect.any(Number) },
  ]));

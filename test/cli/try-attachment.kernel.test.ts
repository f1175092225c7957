import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tryAttachment } from '../../src/cli/try-attachment.ts';
import { netconf } from '../lab/netconf.ts';
import { nodeFacts } from '../support/builders/node-facts.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync('/run/podwire-try-');
  writeFileSync(join(folder, '10-podwire.conflist'), JSON.stringify(netconf()));
});
afterEach(() => rmSync(folder, { recursive: true }));
const attempt = (script: string, root = '/') => {
  const executablePath = join(folder, 'podwire');
  writeFileSync(executablePath, `#!/bin/sh\necho "$CNI_COMMAND" >> ${folder}/calls\n${script}\n`, { mode: 0o755 });
  const { io } = cliIo({ environment: { PATH: process.env['PATH'] }, called: { name: 'podwire', executablePath } });
  return tryAttachment(nodeFacts({ folders: { configs: folder, programs: folder } }), { root, timeoutSeconds: 5 }, io);
};
const sandboxes = () => readdirSync('/run').filter((name) => name.startsWith('podwire-doctor-'));

it('an ADD that fails is a finding with its message, is followed by DEL, and leaves no sandbox', async () => {
  const findings = await attempt(
    `test "$CNI_COMMAND" = DEL || { echo '{"code": 11, "msg": "no address [PW305]"}'; exit 1; }`,
  );
  expect(findings).toMatchObject([
    { number: 'PW604', outcome: 'failed', evidence: [['message', 'no address [PW305]']] },
    { number: 'PW803', outcome: 'skipped' },
  ]);
  expect(sandboxes()).toEqual([]);
});

it('from within a container it is skipped', async () =>
  expect(await attempt('', '/host')).toMatchObject([{ outcome: 'skipped' }, { outcome: 'skipped' }]));

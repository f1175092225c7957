import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CommandError } from '../../src/cli/cli-io.ts';
import { runSupport } from '../../src/cli/support.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync('/run/podwire-support-')));
afterAll(() => rmSync(folder, { recursive: true }));
const support = (file: string) => {
  const captured = cliIo({ environment: { CNI_NET_DIR: folder, CNI_BIN_DIR: folder } });
  return runSupport({ file, root: '/', timeoutSeconds: 2 }, captured.io).then((status) => ({
    status,
    stdout: captured.stdout,
  }));
};

it('of a node without podwire, what cannot be collected is listed', async () => {
  const file = join(folder, 'a.tar.gz');
  const { status, stdout } = await support(file);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Written {2}[^]*\nMissing {2}journal: the network is unknown\n/);
  expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
});

it('never replaces a file', async () => {
  const file = join(folder, 'b.tar.gz');
  await support(file);
  await expect(support(file)).rejects.toThrow(CommandError);
});

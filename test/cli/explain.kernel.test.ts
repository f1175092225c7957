import { expect, it } from 'vitest';
import { runExplain } from '../../src/cli/explain.ts';
import { cliIo } from '../support/commands/cli-io.ts';

it('without a valid configuration it fails, and says where to look', async () => {
  const captured = cliIo({ environment: { CNI_NET_DIR: '/none' } });
  expect(await runExplain('default/web', { output: 'table', verbose: false, root: '/' }, captured.io)).toBe(1);
  expect(captured.stderr).toContain('see "podwire doctor"');
});

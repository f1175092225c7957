import { mkdtempSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isEmpty, observeStale } from '../../src/cli/stale.ts';
import { cliIo } from '../support/commands/cli-io.ts';

// gc.kernel.test.ts removes what is found.

it('without a network configuration it says why nothing can be known', async () => {
  const folder = mkdtempSync('/run/podwire-stale-');
  const { io } = cliIo({ environment: { CNI_NET_DIR: folder, CNI_BIN_DIR: folder } });
  expect(await observeStale(io)).toEqual({
    why: expect.stringContaining(`${folder} has no valid network configuration`),
  });
  rmSync(folder, { recursive: true });
});

it('nothing is empty', () => {
  const nothing = { records: [], damaged: [], links: [], leases: [], endpointCount: 0 };
  expect([isEmpty(nothing), isEmpty({ ...nothing, endpointCount: 1 })]).toEqual([true, false]);
});

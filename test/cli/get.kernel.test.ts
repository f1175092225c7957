import { expect, it } from 'vitest';
import { CommandError } from '../../src/cli/cli-io.ts';
import { findResource, runGet } from '../../src/cli/get.ts';
import type { GetOptions } from '../../src/cli/listing.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const OPTIONS: GetOptions = {
  output: 'table',
  namespace: 'default',
  showsNamespace: false,
  node: undefined,
  kubeconfig: undefined,
  context: undefined,
  timeoutSeconds: 2,
};

it.each([
  ['weps', 'workloadendpoints'],
  ['wep', 'workloadendpoints'],
  ['leases', 'leases'],
  ['podcidr', 'podcidrs'],
  ['pods', undefined],
])('%s is %s', (name, resource) => expect(findResource(name)).toBe(resource));

it('on a machine that is not a node it says where to run it', async () => {
  const { io } = cliIo({ environment: { CNI_NET_DIR: '/none' } });
  await expect(runGet('leases', OPTIONS, io)).rejects.toThrow(CommandError);
  await expect(runGet('attachments', OPTIONS, io)).rejects.toThrow('is not a node with podwire');
});

import { expect, it } from 'vitest';
import { openNodeEffects } from '../../src/cli/node-effects.ts';
import { attachment } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import { cliIo } from '../support/commands/cli-io.ts';

it('opens the kernel, the journal and the IPAM plugin of a network', async () => {
  await using effects = openNodeEffects(networkConfig({ name: 'none' }), ['/none'], cliIo().io);
  expect((await effects.kernel.listInterfaces()).map(({ name }) => name)).toContain('lo');
  expect(effects.journal.list()).toEqual([]);
  expect(() => effects.delegate.prepareAdd('host-local', attachment())).toThrow('missing on this node');
});

import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { UsageError } from '../../src/cli/cli-io.ts';
import { runPlan } from '../../src/cli/plan-add.ts';
import { netconf } from '../lab/netconf.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const stdin = (config: object) => ({ stdin: () => Readable.from([Buffer.from(JSON.stringify(config))]) });

it('a pod without a namespace is a wrong command line', async () =>
  await expect(runPlan({ output: 'table', pod: 'web', config: undefined }, cliIo().io)).rejects.toThrow(UsageError));

it('what would fail first is named, and the rest is planned all the same', async () => {
  const config = netconf({
    ipam: { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/none' },
    kubernetes: { kubeconfig: '/none' },
  });
  const captured = cliIo(stdin(config));
  expect(await runPlan({ output: 'table', pod: 'default/web', config: undefined }, captured.io)).toBe(1);
  expect(captured.stdout).toContain('It would fail at step 1: the kubeconfig /none does not exist');
  expect(captured.stdout).toContain('node    create veth cali68caf03a5f4 and eth0 in the pod');
});

import { expect, it } from 'vitest';
import { runClusterDoctor, runDoctorOnNode } from '../../src/cli/cluster-doctor.ts';
import { CommandError } from '../../src/cli/cli-io.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const OPTIONS = {
  output: 'table',
  verbose: false,
  isBeforeInstall: false,
  kubeconfig: '/none',
  context: undefined,
  timeoutSeconds: 1,
} as const;

it('without a kubeconfig both fail, and name it', async () => {
  await expect(runClusterDoctor(OPTIONS, cliIo().io)).rejects.toThrow(CommandError);
  await expect(runDoctorOnNode('node-1', [], OPTIONS, cliIo().io)).rejects.toThrow('/none cannot be used');
});

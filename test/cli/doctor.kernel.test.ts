import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDoctor, type DoctorOptions } from '../../src/cli/doctor.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync('/run/podwire-doctor-')));
afterAll(() => rmSync(folder, { recursive: true }));

const OPTIONS: DoctorOptions = {
  output: 'table',
  verbose: false,
  timeoutSeconds: 2,
  root: '/',
  kubeconfig: undefined,
  try: false,
};
async function doctor(options: Partial<DoctorOptions> = {}, number?: string) {
  const captured = cliIo({ environment: { CNI_NET_DIR: folder, CNI_BIN_DIR: folder } });
  const status = await runDoctor(number, { ...OPTIONS, ...options }, captured.io);
  return { status, stdout: captured.stdout };
}

it('a node without podwire has one finding', async () =>
  expect(await doctor({ output: 'name' })).toEqual({ status: 1, stdout: expect.stringMatching(/^PW102\n/) }));
it('for people it is the first thing below the verdict', async () =>
  expect((await doctor()).stdout).toMatch(/\nFAIL {2}New pods cannot start on this node\.\n\n✗ PW102 {2}/));
it('a number is explained as JSON, too', async () =>
  expect(JSON.parse((await doctor({ output: 'json' }, 'PW305')).stdout)).toMatchObject({
    id: 'PW305',
    title: 'Addresses are leaked',
  }));
it('an unknown number is a wrong command line', async () =>
  await expect(doctor({}, 'PW1')).rejects.toThrow('unknown finding "PW1"'));

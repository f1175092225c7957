import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { observeMachine } from '../../../src/cli/observe/observe-machine.ts';

let root = '';
beforeEach(() => void (root = mkdtempSync('/run/podwire-machine-')));
afterEach(() => rmSync(root, { recursive: true }));
const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};
const observe = () =>
  observeMachine(
    openNodeFiles(root, {}),
    [{ index: 7, name: 'cali7', mtuBytes: 1500, alias: undefined, addresses: [] }],
    {
      prefix: 'cali',
      executablePath: join(root, 'podwire'),
    },
  );

it('of a machine with a default route and nothing else', async () =>
  expect(await observe()).toMatchObject({
    gatewayProblem: { kind: 'seen', value: undefined },
    mtuFile: undefined,
    managedInterfaces: [],
    disk: undefined,
    isSameProgram: undefined,
    nativeFolder: { kind: 'unseen' },
    nodeRoot: root,
  }));

it('reads the files of the agent, of NetworkManager and of the programs', async () => {
  write('var/lib/calico/mtu', '1450\n');
  write('run/NetworkManager/devices/7', '[device]\nmanaged=true\n');
  write('opt/cni/bin/podwire', 'one');
  write('podwire', 'other');
  expect(await observe()).toMatchObject({
    mtuFile: { bytes: 1450, writtenMs: expect.any(Number) },
    managedInterfaces: [{ name: 'cali7', manager: 'NetworkManager' }],
    disk: { freeBytes: expect.any(Number) },
    isSameProgram: false,
  });
});

it.each([
  ['configured', [{ name: 'cali7', manager: 'systemd-networkd' }]],
  ['unmanaged', []],
])('an interface that is %s by systemd-networkd', async (state, managedInterfaces) => {
  write('run/systemd/netif/links/7', `# This is private data. Do not parse.\nADMIN_STATE=${state}\n`);
  expect(await observe()).toMatchObject({ managedInterfaces });
});

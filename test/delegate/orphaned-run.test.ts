import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseContainerId, parseInterfaceName } from '../../src/cni/attachment-id.ts';
import { endOrphanedRun, type KillProcess } from '../../src/delegate/orphaned-run.ts';
import { killRealProcess } from '../support/delegates/real-program.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';

const ATTACHMENT = { containerId: parseContainerId('orphaned'), interfaceName: parseInterfaceName('eth0') };
const OURS = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'orphaned', CNI_IFNAME: 'eth0' };

/** Starts an IPAM plugin that only a signal ends, because nothing is ever written to what it reads. */
async function endedBy(
  environment: Readonly<Record<string, string>>,
  type: string,
  kill: KillProcess = killRealProcess,
): Promise<NodeJS.Signals | null> {
  const folder = fakeDelegate('', { name: 'orphaned-ipam' });
  const child = spawn(join(folder, 'orphaned-ipam'), {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exit = once(child, 'exit'); // the process may exit before this is awaited
  await once(child, 'spawn');
  try {
    await endOrphanedRun(type, ATTACHMENT, kill);
  } finally {
    child.kill('SIGTERM'); // without effect if it has been ended
    await exit;
    rmSync(folder, { recursive: true });
  }
  return child.signalCode;
}

describe('an IPAM plugin that outlives its killed ADD', () => {
  it('is killed', async () => {
    expect(await endedBy(OURS, 'orphaned-ipam')).toBe('SIGKILL');
  });

  const lives = (why: string, environment: object, type = 'orphaned-ipam') =>
    it(`is not killed: ${why}`, async () => expect(await endedBy({ ...OURS, ...environment }, type)).toBe('SIGTERM'));
  lives('of another container', { CNI_CONTAINERID: 'orphaned-2' });
  lives('of another interface', { CNI_IFNAME: 'net1' });
  lives('that releases', { CNI_COMMAND: 'DEL' });
  lives('another program', {}, 'host-local');

  it('is an error if it can only be waited for and does not end', async () => {
    await expect(endedBy(OURS, 'orphaned-ipam', () => 'impossible')).rejects.toThrow(
      /orphaned-ipam of a killed ADD is still running \(process \d+\)/,
    );
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitForPolicy } from '../../src/attachment/policy.ts';
import { endpointStatusFileName } from '../../src/agent/endpoint-status.ts';
import { makeFolder } from '../log/make-folder.ts';
import { networkConfig } from '../support/network-config.ts';

const WEB = { namespace: 'default', name: 'web' };

async function waitIn(
  folder: string,
  seconds: number,
  signal = new AbortController().signal,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const log = { debug: () => undefined, info: () => undefined, error: () => undefined };
  const config = networkConfig({ policy_setup_timeout_seconds: seconds, endpoint_status_dir: folder });
  await waitForPolicy(config, WEB, { log: { ...log, warning: (message) => void warnings.push(message) }, signal });
  return warnings;
}

describe('a pod', () => {
  it('starts at once, if nobody asks for its policy', async () => expect(await waitIn('/proc/none', 0)).toEqual([]));

  it('starts when the agent has its policy in force', async () => {
    using folder = makeFolder();
    const waiting = waitIn(folder.path, 60);
    writeFileSync(join(folder.path, endpointStatusFileName(WEB)), '');
    expect(await waiting).toEqual([]);
  });

  it('starts all the same if the agent takes too long, with a warning that names both', async () => {
    using folder = makeFolder();
    expect(await waitIn(folder.path, 1)).toEqual([
      expect.stringMatching(/1 s that the policy of default\/web .*podwire-test/),
    ]);
  });

  it('does not start if the runtime ends the command', async () => {
    using folder = makeFolder();
    await expect(waitIn(folder.path, 60, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});

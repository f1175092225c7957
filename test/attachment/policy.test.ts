import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent/agent.ts';
import { endpointStatusFileName } from '../../src/agent/endpoint-status.ts';
import { waitForPolicy } from '../../src/attachment/policy.ts';
import type { Attachment } from '../../src/plan/attachment.ts';
import { makeFolder } from '../log/make-folder.ts';
import { attachment, attachmentId } from '../support/builders/attachment.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const WEB = { namespace: 'default', name: 'web' };

interface Waiting {
  readonly of?: Attachment;
  readonly signal?: AbortSignal;
}

/** Waits for the policy of the pod default/web, and returns the warnings. */
async function waitIn(
  folder: string,
  seconds: number,
  { of = attachment(), signal = new AbortController().signal }: Waiting = {},
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const warning = (message: string): void => void warnings.push(message);
  const log = { debug: () => undefined, info: () => undefined, error: () => undefined, warning };
  const config = networkConfig({ policy_setup_timeout_seconds: seconds, endpoint_status_dir: folder });
  await waitForPolicy(of, config, { agent: openAgent(config), log, signal });
  return warnings;
}

describe('waitForPolicy', () => {
  it('does not wait unless the network configuration asks for it', async () =>
    expect(await waitIn('/proc/none', 0)).toEqual([]));

  it('does not wait for an attachment without an endpoint', async () =>
    expect(await waitIn('/proc/none', 60, { of: attachment({ id: attachmentId('c1', 'net1') }) })).toEqual([]));

  it('ends when the agent reports that the policy is in force', async () => {
    using folder = makeFolder();
    const waiting = waitIn(folder.path, 60);
    writeFileSync(join(folder.path, endpointStatusFileName(WEB)), '');
    expect(await waiting).toEqual([]);
  });

  it('ends with a warning that names pod and folder if the agent takes too long', async () => {
    using folder = makeFolder();
    expect(await waitIn(folder.path, 1)).toEqual([
      expect.stringMatching(/1 s that the policy of default\/web .*podwire-test/),
    ]);
  });

  it('fails if the runtime ends the command', async () => {
    using folder = makeFolder();
    await expect(waitIn(folder.path, 60, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});

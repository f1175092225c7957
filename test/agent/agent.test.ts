import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openAgent } from '../../src/agent/agent.ts';
import { endpointStatusFileName } from '../../src/agent/endpoint-status.ts';
import { makeFolder } from '../log/make-folder.ts';
import { networkConfig } from '../support/builders/network-config.ts';

const WEB = { namespace: 'default', name: 'web' };
const forever = new AbortController().signal;

describe('openAgent', () => {
  it('gives what the network configuration says', async () => {
    const agent = openAgent(networkConfig({ nodename: 'n1', mtu: 1400 }));
    expect([agent.nodeName(), agent.mtuBytes()]).toEqual(['n1', 1400]);
    await agent.waitUntilReady(forever);
  });

  it('waits for the status file of the pod in the configured folder', async () => {
    using folder = makeFolder();
    const agent = openAgent(networkConfig({ endpoint_status_dir: folder.path }));
    const waiting = agent.waitForPolicy(WEB, 60_000, forever);
    writeFileSync(join(folder.path, endpointStatusFileName(WEB)), '');
    expect(await waiting).toBe(true);
  });
});

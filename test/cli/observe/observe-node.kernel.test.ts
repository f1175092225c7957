import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeNameOf, observeLocally, observeNode } from '../../../src/cli/observe/observe-node.ts';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { networkConfig } from '../../support/builders/network-config.ts';
import { netconf } from '../../lab/netconf.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync('/run/podwire-observe-')));
afterEach(() => rmSync(folder, { recursive: true }));
const options = () => ({
  environment: { CNI_NET_DIR: folder, CNI_BIN_DIR: folder },
  executablePath: process.execPath,
  root: '/',
  kubeconfigPath: undefined,
  timeoutMs: 2000,
});

it('a node without any configuration is observed as far as possible', async () =>
  expect(await observeNode(options())).toMatchObject({
    nodeName: undefined,
    own: { kind: 'absent' },
    configs: { kind: 'seen', value: [] },
    programs: { kind: 'unseen' },
    api: { kind: 'unseen', why: 'the node has no valid network configuration of podwire' },
    journal: { kind: 'unseen' },
    links: { kind: 'seen' },
  }));

it('without its kubeconfig, the reason is the answer about the API', async () => {
  writeFileSync(
    join(folder, '10-podwire.conf'),
    JSON.stringify(netconf({ kubernetes: { kubeconfig: join(folder, 'none') } })),
  );
  expect(await observeNode(options())).toMatchObject({
    nodeName: 'node-1',
    api: { kind: 'unseen', why: expect.stringContaining('does not exist (ENOENT)') },
    programs: { kind: 'seen', value: [{ type: 'podwire' }, { type: 'host-local' }] },
    addresses: { kind: 'seen', value: { leases: [] } },
  });
  expect(await observeLocally(options())).toMatchObject({
    api: { kind: 'unseen', why: 'the API server is not asked' },
  });
});

it('the name of the Node is the one that ADD uses', () => {
  expect(nodeNameOf(networkConfig({ nodename: 'a' }), openNodeFiles('/', {}))).toBe('a');
  expect(
    nodeNameOf(networkConfig({ nodename: undefined, nodename_file: join(folder, 'none') }), openNodeFiles('/', {})),
  ).toBeUndefined();
});

import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listEndpoints, listPodCidrs } from '../../src/cli/list-cluster.ts';
import type { GetOptions } from '../../src/cli/listing.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const pod = (name: string, podIPs: string, spec: object = {}) => ({
  metadata: { namespace: 'default', name, annotations: { 'cni.projectcalico.org/podIPs': podIPs } },
  spec: { nodeName: 'n1', ...spec },
});
const ANSWERS: Readonly<Record<string, readonly object[]>> = {
  '/api/v1/pods': [
    pod('web', '10.0.0.2/32,fd00::2/128'),
    pod('cleared', ''),
    pod('host', '10.0.0.3/32', { hostNetwork: true }),
  ],
  '/api/v1/namespaces/default/pods': [pod('web', '10.0.0.2/32')],
  '/api/v1/nodes': [
    { metadata: { name: 'n1' }, spec: { podCIDRs: ['fd00::/64', '10.0.0.0/24'] } },
    { metadata: { name: 'n2' }, spec: {} },
  ],
};

let server: Server;
let folder = '';
let options: GetOptions;
const { io } = cliIo({ environment: { CNI_NET_DIR: '/none' } });
beforeAll(async () => {
  server = createServer((request, response) =>
    response.end(JSON.stringify({ items: ANSWERS[request.url?.split('?')[0] ?? ''] ?? [] })),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const cluster = {
    server: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    'insecure-skip-tls-verify': true,
  };
  folder = mkdtempSync(join(tmpdir(), 'podwire-list-'));
  const kubeconfig = join(folder, 'config');
  const config = {
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  options = {
    output: 'table',
    namespace: undefined,
    showsNamespace: true,
    node: undefined,
    kubeconfig,
    context: undefined,
    timeoutSeconds: 5,
  };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

it('lists pods that have an endpoint, and not those of the host’s network', async () => {
  const { rows, table } = await listEndpoints(options, io);
  expect(rows).toMatchObject([
    { workload: 'web', networks: '10.0.0.2/32, fd00::2/128', interface: 'cali68caf03a5f4', onNode: '' },
  ]);
  expect(table.map(([heading]) => heading)).toEqual(['NAMESPACE', 'WORKLOAD', 'NODE', 'NETWORKS', 'INTERFACE']);
});
it('of one namespace, or of one node', async () => {
  expect((await listEndpoints({ ...options, namespace: 'default', showsNamespace: false }, io)).table[0]).toEqual([
    'WORKLOAD',
    'workload',
  ]);
  expect((await listEndpoints({ ...options, node: 'n2' }, io)).rows).toEqual([]);
});
it('lists podCIDRs of both families', async () =>
  expect((await listPodCidrs(options, io)).rows).toMatchObject([
    { node: 'n1', podCidr: '10.0.0.0/24', podCidrIpv6: 'fd00::/64' },
    { node: 'n2', podCidr: '', route: 'no podCIDR' },
  ]));

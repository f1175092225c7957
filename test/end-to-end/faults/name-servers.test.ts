// The server of the kubeconfig has a name, and name servers of the node are dead.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNameServer } from '../../lab/name-server.ts';
import { makeLoopbackPod } from '../../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import { clusterOf } from '../../cluster/loopback-cluster.ts';

const DNS_PORT = 53;
let node: LoopbackNode;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  node = stack.use(await startLoopbackNode());
  const { port } = new URL(node.api.url);
  const cluster = clusterOf(node.kubeconfigPath, `https://api.example:${port}`);
  node.api.writeKubeconfig(node.kubeconfigPath, { cluster: { ...cluster, 'tls-server-name': '127.0.0.1' } });
  stack.use(await startNameServer({ answer: undefined, address: '127.0.0.52', port: DNS_PORT }));
  stack.use(await startNameServer({ answer: '127.0.0.1', address: '127.0.0.53', port: DNS_PORT }));
});
afterAll(() => stack.disposeAsync());

/** Runs a command with these name servers in /etc/resolv.conf. */
async function run(verb: string, call: object, servers: readonly string[]) {
  const path = join(node.folder, 'resolv.conf');
  await writeFile(path, servers.map((server) => `nameserver ${server}\n`).join(''));
  const script = `mount --bind ${path} /etc/resolv.conf && exec "$@"`;
  return node.run({ verb, config: node.netconf(), ...call, within: ['unshare', '--mount', 'sh', '-c', script, 'sh'] });
}

describe('a dead name server', () => {
  it('before one that answers does not make ADD or DEL fail', async () => {
    await using pod = await makeLoopbackPod(node, 'named');
    const before = await node.state();
    // The C library asks the second only after 5 s, which is more than ADD has for the API.
    for (const verb of ['ADD', 'DEL']) {
      const { exitCode, stderr } = await run(verb, pod.call, ['127.0.0.52', '127.0.0.53']);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    }
    expect(await node.state()).toEqual(before);
  });

  it('and no other fails ADD, naming the name and the name servers, and DEL succeeds', async () => {
    await using pod = await makeLoopbackPod(node, 'nameless');
    const before = await node.state();
    const added = await run('ADD', pod.call, ['127.0.0.52']);
    expect(added).toMatchObject({ exitCode: 1, answer: { code: 11 } });
    expect(added.answer?.['msg']).toMatch(
      /its name "api\.example" could not be resolved within \d+ ms \(name servers: 127\.0\.0\.52\): check \/etc\/resolv\.conf/,
    );
    expect(await node.state()).toEqual(before);
    const deleted = await run('DEL', pod.call, ['127.0.0.52']);
    expect(deleted).toMatchObject({ exitCode: 0 });
  });
});

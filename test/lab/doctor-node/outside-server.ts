import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Cluster } from '../api-server/kube-apiserver.ts';
import { hostNamespace, makeSandbox } from '../namespaces/network-namespace.ts';

/** The API server at an address of another network, which has no route to the addresses of pods. */
export interface OutsideServer extends AsyncDisposable {
  /** A kubeconfig for the API server, changed to one for this address of it. */
  rewrite(kubeconfig: string): string;
  /** Adds a route by the node to the network outside. */
  addRoute(podCidr: string): Promise<void>;
}

const NODE = '198.51.100.1';
const OUTSIDE = '198.51.100.2';
const PORT = 6443;

// It copies bytes only, so that the certificate stays that of the API server.
const RELAY = `
const { connect, createServer } = require('node:net');
const server = createServer((incoming) => {
  const outgoing = connect(Number(process.argv[2]), process.argv[1]);
  for (const socket of [incoming, outgoing]) socket.on('error', () => { incoming.destroy(); outgoing.destroy(); });
  incoming.pipe(outgoing).pipe(incoming);
});
server.listen(${PORT}, '${OUTSIDE}', () => console.log('listening'));
`;

/** Makes a network namespace with a link to the node, in which connections to the API server are accepted. */
export async function startOutsideServer({ server: target }: Cluster): Promise<OutsideServer> {
  await using started = new AsyncDisposableStack();
  const outside = started.use(await makeSandbox());
  const host = hostNamespace();
  await host.ip('link', 'add', 'outside0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.path);
  started.defer(async () => void (await host.ip('link', 'del', 'outside0')));
  for (const [network, name, address] of [
    [host, 'outside0', NODE],
    [outside, 'eth0', OUTSIDE],
  ] as const) {
    await network.ip('address', 'add', `${address}/24`, 'dev', name);
    await network.ip('link', 'set', name, 'up');
  }
  const port = await forward(started, Number(new URL(target).port));
  const relay = spawn('nsenter', [`--net=${outside.path}`, process.execPath, '-e', RELAY, NODE, `${port}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.defer(async () => {
    relay.kill();
    await once(relay, 'exit');
  });
  await once(relay.stdout, 'data');
  const everything = started.move();
  return {
    rewrite: (kubeconfig) =>
      kubeconfig.replaceAll(`"${target}"`, `"https://${OUTSIDE}:${PORT}","tls-server-name":"localhost"`),
    addRoute: async (podCidr) => void (await outside.ip('route', 'add', podCidr, 'via', NODE)),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Accepts connections at the address of the node, and forwards them to loopback. */
async function forward(started: AsyncDisposableStack, targetPort: number): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = connect(targetPort, '127.0.0.1');
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket);
      socket.on('error', () => [incoming, outgoing].forEach((end) => end.destroy()));
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  server.listen(0, NODE);
  await once(server, 'listening');
  started.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
  return address.port;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { NetworkNamespace } from '../namespaces/network-namespace.ts';

// Runs in a Node process that starts inside the namespace: a running process cannot enter one, because its other
// threads would stay outside.
const SERVER = `
const [port, host] = process.argv.slice(1);
require('node:net').createServer((socket) => socket.end(socket.remoteAddress)).listen(port, host, () => console.log('listening'));
`;
const CLIENT = `
const [limitMs, port, host] = process.argv.slice(1);
const socket = require('node:net').connect(port, host);
socket.setTimeout(Number(limitMs), () => socket.destroy(new Error('no answer from ' + host + ' port ' + port)));
socket.pipe(process.stdout);
`;
const LIMIT_MS = '5000';

/** Starts a TCP server in a namespace. It sends each client the address from which the client has connected. */
export async function listenIn({ path }: NetworkNamespace, port: number, host = '::'): Promise<AsyncDisposable> {
  const program = [process.execPath, '-e', SERVER, String(port), host];
  // A server that outlives an interrupted test would keep the namespace.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'nsenter', `--net=${path}`, '--', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const outcome = await Promise.race([once(child.stdout, 'data').then(() => 'listening'), exit]);
  if (outcome !== 'listening') throw new Error(`no server in ${path}: ${String(outcome)}`);
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/**
 * Connects from a namespace to a server of `listenIn`.
 *
 * @returns the source address that the server sees. An IPv4-mapped IPv6 address is returned as IPv4
 * @throws {Error} if there is no connection within five seconds
 */
export async function connectFrom(namespace: NetworkNamespace, host: string, port: number): Promise<string> {
  const seen = await namespace.exec(process.execPath, '-e', CLIENT, LIMIT_MS, String(port), host);
  return seen.replace(/^::ffff:/, '');
}

// A replacement for ping. scripts/demo/reachability.ts runs both ends, each in its network namespace:
//   node scripts/demo/tcp-echo.ts serve ADDRESS         prints its port; ends when its stdin ends
//   node scripts/demo/tcp-echo.ts measure ADDRESS PORT  prints how long an echo took
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const TIMEOUT_MS = 10_000;

const [verb, address = '', port = ''] = process.argv.slice(2);
if (verb === 'serve') await serve(address);
else await measure(address, Number(port));

async function serve(host: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, host);
  await once(server, 'listening');
  const bound = server.address();
  process.stdout.write(`${typeof bound === 'object' && bound !== null ? bound.port : 0}\n`);
  process.stdin.resume().once('end', () => server.close());
}

async function measure(host: string, serverPort: number): Promise<void> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const socket = connect({ host, port: serverPort, noDelay: true });
  await once(socket, 'connect', { signal });
  const startedMs = performance.now();
  socket.write('podwire');
  await once(socket, 'data', { signal });
  process.stdout.write(`${(performance.now() - startedMs).toFixed(2)} ms\n`);
  socket.end();
}

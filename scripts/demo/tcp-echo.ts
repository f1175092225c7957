// Stands in for ping, where there is none; scripts/demo/reachability.ts runs both ends, each in its network namespace:
//   node scripts/demo/tcp-echo.ts serve ADDRESS      prints its port; ends with its stdin
//   node scripts/demo/tcp-echo.ts ask ADDRESS PORT   prints how long an echo took
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const ANSWER_MS = 10_000;

const [verb, address = '', port = ''] = process.argv.slice(2);
if (verb === 'serve') await serve(address);
else await ask(address, Number(port));

async function serve(host: string): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, host);
  await once(server, 'listening');
  const bound = server.address();
  process.stdout.write(`${typeof bound === 'object' && bound !== null ? bound.port : 0}\n`);
  process.stdin.resume().once('end', () => server.close());
}

async function ask(host: string, at: number): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const socket = connect({ host, port: at, noDelay: true });
  await once(socket, 'connect', { signal });
  const startedMs = performance.now();
  socket.write('podwire');
  await once(socket, 'data', { signal });
  process.stdout.write(`${(performance.now() - startedMs).toFixed(2)} ms\n`);
  socket.end();
}

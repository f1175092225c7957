import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { publishMetrics } from '../../src/install/publish-metrics.ts';
import type { MetricsSettings } from '../../src/install/settings.ts';
import { makeMetrics, METRICS_MEDIA_TYPE } from '../../src/metrics/metrics.ts';
import { recordOperation } from '../../src/operations/record-operation.ts';
import { until } from '../lab/until.ts';
import { makeFolder } from './make-folder.ts';

const NETWORK = { network: 'pods', leases: [], capacity: [], pendingEndpoints: 2 };

function publish(settings: Partial<MetricsSettings>, stateFolder: string) {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const published = publishMetrics({
    settings: { address: undefined, textfilePath: undefined, ...settings },
    metrics: makeMetrics(),
    mediaType: METRICS_MEDIA_TYPE,
    stateFolder,
    observeNetworks: async () => [NETWORK],
    log: { debug: note, info: note, warning: note, error: note },
  });
  return { published, lines };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

it('serves what has been recorded since the last process', async () => {
  using folder = makeFolder();
  const operationsPath = join(folder.path, 'operations.log');
  const add = () => recordOperation({ command: 'ADD', code: 0, durationMs: 46 }, operationsPath);
  add();
  const address = { host: '127.0.0.1', port: await freePort() };
  const url = `http://127.0.0.1:${address.port}/metrics`;
  const scrape = async () => (await fetch(url)).text();
  const counted = async () => /podwire_operations_total\{command="ADD",code="0"\} (\d+)/.exec(await scrape())?.[1];
  {
    const { published, lines } = publish({ address }, folder.path);
    await using _published = published;
    await until('it listens', () => lines.some((line) => line.includes(url)));
    // What was there before the first process may have been counted by an earlier one.
    expect(await counted()).toBe('0');
    add();
    expect(await counted()).toBe('1');
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('podwire_pending_endpoints{network="pods"} 2');
    expect((await fetch(url.replace('/metrics', '/'))).status).toBe(404);
  }
  add();
  add();
  const { published, lines } = publish({ address }, folder.path);
  await using _published = published;
  await until('it listens again', () => lines.some((line) => line.includes(url)));
  expect(await counted()).toBe('2');
});

it('writes a file that node_exporter can read', async () => {
  using folder = makeFolder();
  const textfilePath = join(folder.path, 'podwire.prom');
  const { published } = publish({ textfilePath }, folder.path);
  await published[Symbol.asyncDispose]();
  expect(readFileSync(textfilePath, 'utf8')).toContain('podwire_build_info');
  expect(statSync(textfilePath).mode & 0o777).toBe(0o644);
});

it('what it cannot do is a warning', async () => {
  using folder = makeFolder();
  mkdirSync(join(folder.path, 'state'));
  writeFileSync(join(folder.path, 'state/metrics'), '');
  await using taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = { host: '127.0.0.1', port: portOf(taken) };
  const { published, lines } = publish({ address, textfilePath: '/none/podwire.prom' }, join(folder.path, 'state'));
  await using _published = published;
  await until('both have warned', () => lines.length >= 2);
  expect(lines.toSorted()).toEqual([
    expect.stringMatching(/^cannot serve metrics on 127.*EADDRINUSE.*see METRICS_ADDRESS$/),
    expect.stringMatching(/^cannot write the metrics to \/none\/podwire.prom.*ENOENT.*see METRICS_TEXTFILE$/),
  ]);
});

// Here, among the slower tests, because it makes thousands of connections.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { placesIn, startCutRelay, type Ending } from './connections/cut-relay.ts';
import type { ProbeOrder, ProbeReport } from './connections/leak-probe.ts';
import { AUTHORITY, startTlsServer } from './connections/tls-server.ts';
import { authority, server as issue } from './tls-cases/tls-case.ts';

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: nothing is left of connections that end at any place, in any way',
  async (version) => {
    await using stack = new AsyncDisposableStack();
    const only = { minVersion: version, maxVersion: version };
    const good = stack.use(await startTlsServer((_request, response) => response.end(BODY), only));
    const ports = [good.port, UNUSED_PORT];
    for (const where of ['accept', ...(await placesOf(good.port))] as const) {
      for (const how of ENDINGS) ports.push(stack.use(await startCutRelay(good.port, { how, where })).port);
    }
    const stranger = issue(authority('stranger'));
    const strange = { cert: stranger.certificatePem, key: stranger.keyPem };
    const demanding = { ca: AUTHORITY.certificatePem, requestCert: true };
    for (const options of [strange, demanding, { ALPNProtocols: ['h2'] }]) {
      ports.push(stack.use(await startTlsServer(() => undefined, { ...only, ...options })).port);
    }
    const report = await probe({ ports, times: 2, budgetMs: 250 });
    expectNothingLeft(report);
    const names = ['200', 'ConnectError', 'DeadlineError', 'HttpError', 'KernelError', 'TlsError'];
    expect(Object.keys(report.outcomes).toSorted()).toEqual(names);
  },
  60_000,
);

it('nothing is left of connections for which a certificate or a key is not valid', async () => {
  await using server = await startTlsServer(() => undefined);
  const client = { certificatePem: AUTHORITY.certificatePem, keyPem: authority('other').keyPem };
  const report = await probe({ ports: [server.port], times: 50, budgetMs: 1000, client });
  expectNothingLeft(report);
  expect(Object.keys(report.outcomes)).toEqual(['CniError']);
});

it('2,000 connections whose time is used up need no more memory than 1,000', async () => {
  await using server = await startTlsServer(() => undefined);
  await using silent = await startCutRelay(server.port, { how: 'stall', where: 'accept' });
  const report = await probe({ ports: [silent.port], times: 2000, budgetMs: 1 });
  expectNothingLeft(report);
  expect(report.outcomes).toEqual({ ConnectError: 2001 });
  // If koffi declared its functions for each connection, it would be 45 MB.
  expect(report.grownBytes).toBeLessThan(16 * 1024 * 1024);
}, 60_000);

const ENDINGS: readonly Ending[] = ['stall', 'close', 'half-close', 'reset'];
const BODY = 'x'.repeat(20_000);
/** Only root may listen on it, and no test does. */
const UNUSED_PORT = 1;

function expectNothingLeft({ objects, descriptorsBefore, descriptorsAfter }: ProbeReport): void {
  expect(descriptorsAfter).toEqual(descriptorsBefore);
  for (const { kind, made, freed } of objects) expect({ kind, freed }).toEqual({ kind, freed: made });
  expect(objects.find(({ kind }) => kind === 'SSL_CTX')?.made).toBeGreaterThan(50);
}

async function placesOf(port: number): Promise<ReturnType<typeof placesIn>> {
  await using relay = await startCutRelay(port);
  await probe({ ports: [relay.port], times: 0, budgetMs: 5000 });
  return placesIn(relay.sent());
}

async function probe(order: Omit<ProbeOrder, 'authorities'>): Promise<ProbeReport> {
  const program = join(import.meta.dirname, 'connections/leak-probe.ts');
  const complete: ProbeOrder = { ...order, authorities: AUTHORITY.certificatePem };
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, JSON.stringify(complete)]);
  const report: ProbeReport = JSON.parse(stdout);
  return report;
}

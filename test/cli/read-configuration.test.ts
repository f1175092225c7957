import { PassThrough, Readable } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfiguration } from '../../src/cli/read-configuration.ts';
import { cliIo } from '../support/commands/cli-io.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'podwire-read-'));
  writeFileSync(join(folder, '20-b.conflist'), '{"name": "b"}');
  writeFileSync(join(folder, '10-a.conflist'), '{"name": "a"}');
  writeFileSync(join(folder, '05-kubeconfig'), '{"name": "no configuration"}');
});
afterAll(() => rmSync(folder, { recursive: true }));
const STDIN = { stdin: () => Readable.from([Buffer.from('{"name": "stdin"}')]) };
const onTerminal = (configs: string) => ({ ...STDIN, isTerminal: () => true, environment: { CNI_NET_DIR: configs } });

it('a named file takes precedence', async () =>
  expect(await readConfiguration(join(folder, '20-b.conflist'), cliIo(STDIN).io)).toEqual({
    list: { name: 'b' },
    source: undefined,
  }));
it('otherwise stdin is read', async () =>
  expect((await readConfiguration(undefined, cliIo(STDIN).io)).list).toEqual({ name: 'stdin' }));
it('if nothing arrives on stdin, it does not wait for ever', { timeout: 20_000 }, () =>
  expect(readConfiguration(undefined, cliIo({ stdin: () => new PassThrough() }).io)).rejects.toThrow(
    'nothing arrives on standard input: pass the network configuration there, or with --config FILE',
  ),
);
it('on a terminal it is the first configuration of the node', async () =>
  expect(await readConfiguration(undefined, cliIo(onTerminal(folder)).io)).toEqual({
    list: { name: 'a' },
    source: join(folder, '10-a.conflist'),
  }));
it('without any, the message says how to pass one', () =>
  expect(readConfiguration(undefined, cliIo(onTerminal('/none')).io)).rejects.toThrow(
    'pass one with --config FILE or on stdin',
  ));
it('a file that does not exist is named', () =>
  expect(readConfiguration('/none', cliIo().io)).rejects.toThrow('cannot read /none'));

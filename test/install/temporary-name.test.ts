import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimTemporaryName, findAbandonedFiles, findOldPluginFiles } from '../../src/install/temporary-name.ts';
import { makeFolder } from './make-folder.ts';

const SOURCE = join(import.meta.dirname, '../../src/install/temporary-name.ts');

it('a temporary name is unique, and no runtime reads it', async () => {
  using one = await claimTemporaryName('10-a.conflist');
  using other = await claimTemporaryName('10-a.conflist');
  expect(one.name).toMatch(/^\.podwire-new-10-a\.conflist\.\d+-[0-9a-f]{12}\.tmp$/);
  expect(other.name).not.toBe(one.name);
});

it('a file is abandoned once its name has been released', async () => {
  using folder = makeFolder();
  const claimed = await claimTemporaryName('a');
  const path = join(folder.path, claimed.name);
  for (const name of [path, join(folder.path, 'a.tmp')]) writeFileSync(name, '');
  expect(await findAbandonedFiles(folder.path)).toEqual([]);
  claimed[Symbol.dispose]();
  expect(await findAbandonedFiles(folder.path)).toEqual([path]);
});

it('a process that connects to the socket of a name is disconnected', async () => {
  using claimed = await claimTemporaryName('a');
  const claim = /\.(\d+-[0-9a-f]+)\.tmp$/.exec(claimed.name)?.[1];
  const connection = connect({ path: `\0podwire-install-${claim}` });
  await expect(once(connection.resume(), 'end')).resolves.toEqual([]);
});

it('a process that connects and stays does not keep the process of a name alive', async () => {
  const script = `
    const { claimTemporaryName } = await import(${JSON.stringify(SOURCE)});
    using claimed = await claimTemporaryName('a');
    process.stdout.write(claimed.name);
    await new Promise((resolve) => process.stdin.once('data', resolve));
    process.stdin.destroy();`;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const ended = once(writer, 'close');
  const [name] = await once(writer.stdout, 'data');
  const claim = /\.(\d+-[0-9a-f]+)\.tmp$/.exec(String(name))?.[1];
  const connections = Array.from({ length: 20 }, () =>
    connect({ path: `\0podwire-install-${claim}`, allowHalfOpen: true }).on('error', () => undefined),
  );
  await Promise.all(connections.map((connection) => once(connection, 'connect')));
  writer.stdin.write('go on');
  expect(await ended).toEqual([0, null]);
  for (const connection of connections) connection.destroy();
});

it('a file is abandoned once its process has been killed, and not before', async () => {
  using folder = makeFolder();
  const script = `
    const { claimTemporaryName } = await import(${JSON.stringify(SOURCE)});
    const { name } = await claimTemporaryName('a');
    (await import('node:fs')).writeFileSync(name, '');
    process.stdin.resume();
    process.stdout.write('written');`;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder.path });
  await once(writer.stdout, 'data');
  expect([readdirSync(folder.path).length, await findAbandonedFiles(folder.path)]).toEqual([1, []]);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  expect((await findAbandonedFiles(folder.path)).length).toBe(1);
});

it('a file of another network namespace, whose sockets are not visible, is abandoned when it is old', async () => {
  using folder = makeFolder();
  const old = join(folder.path, '.podwire-new-a.1-000000000001.tmp');
  const young = join(folder.path, '.podwire-new-a.1-000000000002.tmp');
  for (const path of [old, young]) writeFileSync(path, '');
  utimesSync(old, 0, 0);
  expect(await findAbandonedFiles(folder.path)).toEqual([old]);
});

it('an incomplete file of the plugin is abandoned when it is old', async () => {
  using folder = makeFolder();
  const [old = '', young = ''] = ['.1234.new', '.99.new'].map((name) => join(folder.path, name));
  for (const path of [old, young, join(folder.path, 'koffi.node')]) writeFileSync(path, '');
  for (const path of [old, join(folder.path, 'koffi.node')]) utimesSync(path, 0, 0);
  expect(await findOldPluginFiles(folder.path)).toEqual([old]);
});

it('a missing folder has no abandoned files', async () => {
  expect(await findAbandonedFiles('/nowhere')).toEqual([]);
});

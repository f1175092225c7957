import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimTemporaryName, findAbandoned } from '../../src/install/temporary-file.ts';
import { makeFolder } from './make-folder.ts';

const SOURCE = join(import.meta.dirname, '../../src/install/temporary-file.ts');

it('a name that no runtime reads, another each time', async () => {
  await using one = await claimTemporaryName('10-a.conflist');
  await using other = await claimTemporaryName('10-a.conflist');
  expect(one.name).toMatch(/^\.podwire-new-10-a\.conflist\.\d+-[0-9a-f]{12}\.tmp$/);
  expect(other.name).not.toBe(one.name);
});

it('a file is abandoned as soon as whoever wrote it has given up its name', async () => {
  using folder = makeFolder();
  const claimed = await claimTemporaryName('a');
  const path = join(folder.path, claimed.name);
  for (const name of [path, join(folder.path, 'a.tmp')]) writeFileSync(name, '');
  expect(await findAbandoned(folder.path)).toEqual([]);
  await claimed[Symbol.asyncDispose]();
  expect(await findAbandoned(folder.path)).toEqual([path]);
});

it('or was killed, and not before', async () => {
  using folder = makeFolder();
  const script = `
    const { claimTemporaryName } = await import(${JSON.stringify(SOURCE)});
    const { name } = await claimTemporaryName('a');
    (await import('node:fs')).writeFileSync(name, '');
    process.stdin.resume();
    process.stdout.write('written');`;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder.path });
  await once(writer.stdout, 'data');
  expect([readdirSync(folder.path).length, await findAbandoned(folder.path)]).toEqual([1, []]);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  expect((await findAbandoned(folder.path)).length).toBe(1);
});

it('one of another network, whose sockets are not seen from here, is abandoned when it is old', async () => {
  using folder = makeFolder();
  const [old, young] = [1, 2].map((number) => join(folder.path, `.podwire-new-a.1-00000000000${number}.tmp`));
  for (const path of [old, young]) writeFileSync(path ?? '', '');
  utimesSync(old ?? '', 0, 0);
  expect(await findAbandoned(folder.path)).toEqual([old]);
});

it('a folder that is missing has none', async () => {
  expect(await findAbandoned('/nowhere')).toEqual([]);
});

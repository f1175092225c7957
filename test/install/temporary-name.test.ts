import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  claimTemporaryName,
  removeFilesOfKilledInstallers,
  removeOldPluginFiles,
} from '../../src/install/temporary-name.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

const SOURCE = join(import.meta.dirname, '../../src/install/temporary-name.ts');
const libc = openLibcLoader();

/** A process that writes a file under a temporary name, and then waits. */
async function startWriter(folder: string) {
  const script = `
    const { claimTemporaryName } = await import(${JSON.stringify(SOURCE)});
    const { openLibcLoader } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/system/libc.ts'))});
    const { name } = claimTemporaryName(${JSON.stringify(folder)}, 'a', openLibcLoader());
    (await import('node:fs')).writeFileSync(${JSON.stringify(folder)} + '/' + name, '');
    process.stdin.resume();
    process.stdout.write(name);`;
  const writer = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const [name] = await once(writer.stdout, 'data');
  return { writer, name: String(name) };
}

it('a temporary name is unique, and no runtime reads it or the lock beside it', () => {
  using folder = makeFolder();
  using one = claimTemporaryName(folder.path, '10-a.conflist', libc);
  using other = claimTemporaryName(folder.path, '10-a.conflist', libc);
  expect(one.name).toMatch(/^\.podwire-new-10-a\.conflist\.[0-9a-f]{12}\.tmp$/);
  expect(other.name).not.toBe(one.name);
  expect(readdirSync(folder.path)).toEqual([one, other].map(({ name }) => name.replace(/\.tmp$/, '.lock')).toSorted());
});

it('only root can open the lock of a name', () => {
  using folder = makeFolder();
  using claimed = claimTemporaryName(folder.path, 'a', libc);
  const lock = join(folder.path, claimed.name.replace(/\.tmp$/, '.lock'));
  expect((statSync(lock).mode & 0o7777).toString(8)).toBe('600');
});

it('a name listens on no socket', () => {
  using folder = makeFolder();
  const before = readFileSync('/proc/self/net/unix', 'utf8').match(/podwire/g);
  using _claimed = claimTemporaryName(folder.path, 'a', libc);
  expect(readFileSync('/proc/self/net/unix', 'utf8').match(/podwire/g)).toEqual(before);
});

it('a name that is released leaves nothing', () => {
  using folder = makeFolder();
  claimTemporaryName(folder.path, 'a', libc)[Symbol.dispose]();
  expect(readdirSync(folder.path)).toEqual([]);
});

it('a file is abandoned once its process has been killed, and not before', async () => {
  using folder = makeFolder();
  const { writer, name } = await startWriter(folder.path);
  expect(removeFilesOfKilledInstallers(folder.path, libc)).toEqual([]);
  expect(existsSync(join(folder.path, name))).toBe(true);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  expect(removeFilesOfKilledInstallers(folder.path, libc)).toEqual([name.replace(/\.tmp$/, '.lock'), name]);
  expect(readdirSync(folder.path)).toEqual([]);
});

it('a lock alone, which a process left that was killed before it wrote, is removed', () => {
  using folder = makeFolder();
  writeFileSync(join(folder.path, '.podwire-new-a.000000000001.lock'), '');
  expect(removeFilesOfKilledInstallers(folder.path, libc)).toEqual(['.podwire-new-a.000000000001.lock']);
  expect(readdirSync(folder.path)).toEqual([]);
});

it('a file whose lock cannot be seen, as an earlier version leaves it, is abandoned when it is old', () => {
  using folder = makeFolder();
  const [old, young] = ['.podwire-new-a.1-000000000001.tmp', '.podwire-new-a.1-000000000002.tmp'];
  for (const name of [old, young]) writeFileSync(join(folder.path, name), '');
  utimesSync(join(folder.path, old), 0, 0);
  expect(removeFilesOfKilledInstallers(folder.path, libc)).toEqual([old]);
  expect(readdirSync(folder.path)).toEqual([young]);
});

it('files of others are kept', () => {
  using folder = makeFolder();
  for (const name of ['a.tmp', 'a.lock', '.a.tmp']) writeFileSync(join(folder.path, name), '');
  mkdirSync(join(folder.path, 'b.tmp'));
  expect(removeFilesOfKilledInstallers(folder.path, libc)).toEqual([]);
  expect(readdirSync(folder.path)).toHaveLength(4);
});

it('an incomplete file of the plugin is removed when it is old', () => {
  using folder = makeFolder();
  const names = ['.1234.new', '.99.new', 'koffi.node'];
  for (const name of names) writeFileSync(join(folder.path, name), '');
  for (const name of ['.1234.new', 'koffi.node']) utimesSync(join(folder.path, name), 0, 0);
  expect(removeOldPluginFiles(folder.path)).toEqual(['.1234.new']);
  expect(readdirSync(folder.path)).toEqual(['.99.new', 'koffi.node']);
});

it('a missing folder has no abandoned files', () => {
  expect(removeFilesOfKilledInstallers('/nowhere', libc)).toEqual([]);
});

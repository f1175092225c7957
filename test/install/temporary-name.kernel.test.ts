import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeFilesOfKilledInstallers } from '../../src/install/temporary-name.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';
import { makeFolder } from './make-folder.ts';

const sourceOf = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../src', path));

it('a file of an installer in other namespaces, which sees the folder by a bind mount, is kept until that installer ends', async () => {
  assertPrivateNamespace();
  using folder = makeFolder();
  const [shared, mounted] = [join(folder.path, 'shared'), join(folder.path, 'mounted')];
  for (const path of [shared, mounted]) mkdirSync(path);
  const script = `
    const { claimTemporaryName } = await import(${sourceOf('install/temporary-name.ts')});
    const { openLibcLoader } = await import(${sourceOf('system/libc.ts')});
    const { name } = claimTemporaryName(${JSON.stringify(mounted)}, 'a', openLibcLoader());
    (await import('node:fs')).writeFileSync(${JSON.stringify(mounted)} + '/' + name, '');
    process.stdin.resume();
    process.stdout.write(name);`;
  const enter = 'mount --bind "$0" "$1" && exec "$2" --input-type=module --eval "$3"';
  const args = ['--pid', '--net', '--mount', '--fork', '--kill-child', 'sh', '-c', enter];
  const writer = spawn('unshare', [...args, shared, mounted, process.execPath, script]);
  await once(writer.stdout, 'data');
  expect([readdirSync(shared).length, removeFilesOfKilledInstallers(shared, openLibcLoader())]).toEqual([2, []]);
  writer.kill('SIGKILL');
  await once(writer, 'close');
  expect(removeFilesOfKilledInstallers(shared, openLibcLoader())).toHaveLength(2);
  expect(readdirSync(shared)).toEqual([]);
});

import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFolderWatch } from '../../src/install/folder-watch.ts';
import { makeFolder } from './make-folder.ts';

it('a link that is swapped is a change, also one that nobody has waited for yet', async () => {
  using folder = makeFolder();
  using watched = openFolderWatch(folder.path);
  const swap = (to: string) => {
    symlinkSync(to, join(folder.path, 'new'));
    renameSync(join(folder.path, 'new'), join(folder.path, '..data'));
  };
  const first = watched.change();
  swap('one');
  await first;
  swap('two');
  await watched.change();
  expect(true).toBe(true);
});

it('a folder that is not there never changes, which is no error', () => {
  using watched = openFolderWatch('/nowhere');
  expect(watched.change()).toBeInstanceOf(Promise);
});

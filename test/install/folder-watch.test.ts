import { renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFolderWatch } from '../../src/install/folder-watch.ts';
import { makeFolder } from './make-folder.ts';

it('a link that is replaced is a change, even before anything waits for it', async () => {
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

it('a missing folder never changes, which is not an error', () => {
  using watched = openFolderWatch('/nowhere');
  expect(watched.change()).toBeInstanceOf(Promise);
});

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { placeExecutable } from '../../src/install/place-executable.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';
import { writeProgramWithSlot } from './program-with-slot.ts';

it('an executable that runs with its libraries in no folder leaves the node as it was, and the reason names each', async () => {
  using folder = makeFolder();
  const inFolder = (path: string) => join(folder.path, path);
  for (const path of ['image', 'bin', 'state']) mkdirSync(inFolder(path));
  writeProgramWithSlot(inFolder('image/podwire')); // its loader is missing
  writeFileSync(inFolder('image/libc.so.6'), 'a library');
  writeFileSync(inFolder('bin/podwire'), 'the previous one');
  const before = readdirSync(folder.path, { recursive: true });
  const placing = placeExecutable(
    {
      from: inFolder('image/podwire'),
      path: inFolder('bin/podwire'),
      shownPath: '/opt/cni/bin/podwire',
      libraries: {
        files: [{ name: 'libc.so.6', digest: 'new', content: { copyOf: inFolder('image/libc.so.6') } }],
        folderName: '1-ab',
      },
      places: [
        { here: inFolder('state/native'), onNode: '/var/lib/podwire/native', problem: undefined },
        { here: inFolder('bin/.podwire'), onNode: '/opt/cni/bin/.podwire', problem: undefined },
        { here: '/nowhere', onNode: '/third', problem: 'it is not mounted here' },
      ],
    },
    openLibcLoader(),
  );
  await expect(placing).rejects.toThrow(
    /cannot run \/opt\/cni\/bin\/podwire: .*\(libraries in \/var\/lib\/podwire\/native, \/opt\/cni\/bin\/\.podwire\); it is not mounted here \(libraries in \/third\)/,
  );
  expect(readdirSync(folder.path, { recursive: true })).toEqual(before);
});

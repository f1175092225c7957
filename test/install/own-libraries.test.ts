import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { layoutOf } from '../../src/install/layout.ts';
import { libraryPlaces, observeLibraries } from '../../src/install/own-libraries.ts';
import { makeFolder } from './make-folder.ts';
import { writeProgramWithSlot } from './program-with-slot.ts';

const NAMES = { programs: '/opt/cni/bin', configs: '/etc/cni/net.d' };

describe('the libraries can be', () => {
  const places = (root: string, hasStateFolder: boolean, mountInfo = '') =>
    libraryPlaces(layoutOf(root, NAMES), { hasStateFolder, mountInfo });

  it('beside the programs, and otherwise in the folder of the state', () =>
    expect(places('/host', true)).toEqual([
      { here: '/host/opt/cni/bin/.podwire', onNode: '/opt/cni/bin/.podwire', problem: undefined },
      { here: '/host/var/lib/podwire/native', onNode: '/var/lib/podwire/native', problem: undefined },
    ]));

  it('not in the folder of the state if that is not mounted', () =>
    expect(places('/host', false)[1]).toMatchObject({ problem: 'it is not mounted here' }));

  const k3s = '2 1 8:1 /var/lib/rancher/k3s/data/current/bin /host/opt/cni/bin rw - ext4 /dev/sda1 rw\n';
  it('not beside the programs if the node has these at another path than CNI_BIN_DIR', () =>
    expect(places('/host', true, k3s)[0]?.problem).toContain('set CNI_BIN_DIR'));

  it('in both on the node itself, whatever is mounted', () =>
    expect(places('/', true, k3s.replace('/host', '')).map(({ problem }) => problem)).toEqual([undefined, undefined]));
});

describe('the executable on the node', () => {
  const observe = async (prepare: (programs: string) => Promise<void> | void) => {
    using folder = makeFolder();
    const layout = layoutOf(folder.path, NAMES);
    for (const path of [layout.here.programs, layout.here.state]) mkdirSync(path, { recursive: true });
    await prepare(layout.here.programs);
    const { libraries, binding } = await observeLibraries(layout, process.execPath);
    return { libraries, binding: JSON.parse(JSON.stringify(binding).replaceAll(folder.path, '')) as unknown };
  };

  it('that is missing is as good as one without libraries, if the installer has none either', async () =>
    expect(await observe(() => undefined)).toEqual({
      libraries: undefined,
      binding: { isOfImage: false, isIntact: true },
    }));

  it('that has libraries is not what an installer without libraries would put there', async () => {
    const bound = async (programs: string) => {
      writeProgramWithSlot(join(programs, 'podwire'));
      await bindExecutable(join(programs, 'podwire'), '/var/lib/podwire/native/1-ab');
    };
    const folder = { here: '/var/lib/podwire/native/1-ab', onNode: '/var/lib/podwire/native/1-ab' };
    expect(await observe(bound)).toEqual({
      libraries: undefined,
      binding: { folder, isOfImage: false, isIntact: false },
    });
  });

  it('that is another program has no libraries', async () => {
    const script = (programs: string) => writeFileSync(join(programs, 'podwire'), '#!/bin/sh\n');
    expect(await observe(script)).toMatchObject({ binding: { isOfImage: false, isIntact: true } });
  });
});

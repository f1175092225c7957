import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanNativeCode } from '../../src/install/native-folders.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

const libc = openLibcLoader();

/** A folder of all versions. Each version has one file, and is old unless its name begins with `young`. */
function makeVersions(...names: readonly string[]) {
  const folder = makeFolder();
  for (const name of names) {
    mkdirSync(join(folder.path, name));
    writeFileSync(join(folder.path, name, 'koffi.node'), '');
    if (!name.startsWith('young')) utimesSync(join(folder.path, name), 0, 0);
  }
  return folder;
}

describe('the folder of a version', () => {
  it('that is neither used nor new is removed', () => {
    using folder = makeVersions('0.1.0', '0.2.0');
    expect(cleanNativeCode(folder.path, '0.2.0', libc)).toEqual(['0.1.0']);
    expect(readdirSync(folder.path)).toEqual(['0.2.0']);
  });

  it('that is new is kept, because a process may be about to use it', () => {
    using folder = makeVersions('young', '0.2.0');
    expect(cleanNativeCode(folder.path, '0.2.0', libc)).toEqual([]);
    expect(readdirSync(folder.path)).toEqual(['0.2.0', 'young']);
  });

  it('is kept if the version of the executable on the node is unknown', () => {
    using folder = makeVersions('0.1.0');
    expect(cleanNativeCode(folder.path, undefined, libc)).toEqual([]);
    expect(existsSync(join(folder.path, '0.1.0/koffi.node'))).toBe(true);
  });

  it('whose removal was interrupted is removed', () => {
    using folder = makeVersions('0.2.0');
    mkdirSync(join(folder.path, '.removed-000000000001'));
    expect(cleanNativeCode(folder.path, '0.2.0', libc)).toEqual(['.removed-000000000001']);
    expect(readdirSync(folder.path)).toEqual(['0.2.0']);
  });

  it('that is used loses what a killed process left in it', () => {
    using folder = makeVersions('0.2.0');
    const left = ['koffi.node.1-1.new', '.podwire-new-koffi.node.000000000001.lock'];
    for (const name of left) {
      writeFileSync(join(folder.path, '0.2.0', name), '');
      utimesSync(join(folder.path, '0.2.0', name), 0, 0);
    }
    expect(cleanNativeCode(folder.path, '0.2.0', libc).toSorted()).toEqual(
      left.map((name) => `0.2.0/${name}`).toSorted(),
    );
    expect(readdirSync(join(folder.path, '0.2.0'))).toEqual(['koffi.node']);
  });
});

it('a missing folder has nothing to remove', () => expect(cleanNativeCode('/nowhere', '0.1.0', libc)).toEqual([]));

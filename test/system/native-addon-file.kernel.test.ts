import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { errnoOf } from '../../src/system/error-text.ts';
import { KernelError } from '../../src/system/kernel-error.ts';
import { openUnpackedAddon, unpackNativeAddon } from '../../src/system/native-addon-file.ts';
import { assertPrivateNamespace } from '../lab/namespaces/private-namespace.ts';
import { until } from '../lab/until.ts';

const NOBODY = 65_534;
const bytes = Buffer.from('the addon');

/** An addon below a root that does not exist yet, in a new empty folder. */
function anAddon(root = join(mkdtempSync('/var/lib/podwire-native-'), 'podwire', 'native')) {
  assertPrivateNamespace();
  return { root, folders: [dirname(root), root, join(root, '1.2.3')], fileName: 'koffi.node', bytes };
}

function unpacked() {
  const addon = anAddon();
  return { addon, path: unpackNativeAddon(addon) };
}

describe('an addon', () => {
  it('is written for root only, in folders for root only', () => {
    const { addon, path } = unpacked();
    expect(path).toBe(join(addon.root, '1.2.3', 'koffi.node'));
    expect(readFileSync(path)).toEqual(bytes);
    const modes = [path, dirname(path), addon.root, dirname(addon.root)].map((one) => statSync(one).mode & 0o7777);
    expect(modes).toEqual([0o600, 0o700, 0o700, 0o700]);
    expect(readdirSync(dirname(path))).toEqual(['koffi.node']);
  });

  it('that is intact is not written again', () => {
    const { addon, path } = unpacked();
    const before = statSync(path).ino;
    expect(unpackNativeAddon(addon)).toBe(path);
    expect(statSync(path).ino).toBe(before);
  });

  const replaced = (why: string, spoil: (path: string) => void) =>
    it(`${why} is replaced`, () => {
      const { addon, path } = unpacked();
      spoil(path);
      unpackNativeAddon(addon);
      expect(readFileSync(path)).toEqual(bytes);
      expect(statSync(path)).toMatchObject({ uid: 0, mode: 0o100600 });
    });
  replaced('with other bytes of the same length', (path) => writeFileSync(path, 'the addom'));
  replaced('that is truncated', (path) => writeFileSync(path, 'the'));
  replaced('that belongs to another user', (path) => giveAway(path));
  replaced('that other users can write', (path) => chmodSync(path, 0o666));
  replaced('that is a link', (path) => {
    renameSync(path, `${path}.real`);
    symlinkSync(`${path}.real`, path);
  });
  replaced('that is a FIFO', (path) => {
    renameSync(path, `${path}.real`);
    execFileSync('mkfifo', [path]);
  });

  it('is written beside the temporary file of a killed process, which is removed', () => {
    const addon = anAddon();
    mkdirSync(join(addon.root, '1.2.3'), { recursive: true });
    writeFileSync(join(addon.root, '1.2.3', `koffi.node.${process.pid}-1.new`), 'half');
    unpackNativeAddon(addon);
    expect(readdirSync(join(addon.root, '1.2.3'))).toEqual(['koffi.node']);
  });
});

/** Changes the owner. A user namespace may have no other user; then files of other users cannot exist there, either. */
function giveAway(path: string): void {
  try {
    chownSync(path, 1000, 1000);
  } catch (error) {
    expect(error).toHaveProperty('code', 'EINVAL');
  }
}

describe('its folder', () => {
  it('that other users can enter is closed to them', () => {
    const { addon, path } = unpacked();
    chmodSync(addon.root, 0o777);
    unpackNativeAddon(addon);
    expect(statSync(addon.root).mode & 0o777).toBe(0o700);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('of another user is an error, because that user could put any file there', () => {
    const { addon } = unpacked();
    expect(() => unpackNativeAddon(addon, ({ uid }) => uid === NOBODY)).toThrow(
      `${dirname(addon.root)}: it belongs to user 0 and not to root`,
    );
  });

  it('that is a link is an error', () => {
    const { addon } = unpacked();
    renameSync(addon.root, `${addon.root}.real`);
    symlinkSync(`${addon.root}.real`, addon.root);
    expect(() => unpackNativeAddon(addon)).toThrow(`${addon.root}: it is not a folder`);
  });

  const mounted = (why: string, options: string, fill: (folder: string) => void, words: string) =>
    it(`${why} is an error that says what to do`, () => {
      const folder = mkdtempSync('/var/lib/podwire-native-');
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder]);
      try {
        fill(folder);
        execFileSync('mount', ['-o', `remount,bind,${options}`, folder]);
        expect(() => unpackNativeAddon(anAddon(join(folder, 'podwire', 'native')))).toThrow(words);
      } finally {
        execFileSync('umount', [folder]);
      }
    });
  mounted('on a read-only file system', 'ro', () => undefined, 'read-only; run "podwire install"');
  const fill = (folder: string): void => {
    mkdirSync(join(folder, 'podwire', 'native', '1.2.3'), { recursive: true });
    execFileSync('sh', ['-c', `head -c 100000 /dev/zero > ${join(folder, 'filler')} || true`], { stdio: 'ignore' });
  };
  mounted('on a full file system', 'rw', fill, 'its file system is full');

  it('on a read-only file system is used if it contains the addon', () => {
    const folder = mkdtempSync('/var/lib/podwire-native-');
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder]);
    try {
      const addon = anAddon(join(folder, 'podwire', 'native'));
      const path = unpackNativeAddon(addon);
      execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
      expect(unpackNativeAddon(addon)).toBe(path);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

describe('an addon that is removed before it is opened, because its version was replaced', () => {
  /** Opens the addon, after its folder has been removed for the first so many times. */
  function openWithRemovals(removals: number) {
    let removalsLeft = removals;
    return openUnpackedAddon(anAddon(), (path) => {
      if (removalsLeft-- > 0) rmSync(dirname(path), { recursive: true });
      try {
        return readFileSync(path);
      } catch (cause) {
        throw new KernelError('load', path, errnoOf(cause) ?? 'EIO', { cause });
      }
    });
  }

  it('is unpacked again', () => expect(openWithRemovals(2)).toEqual(bytes));

  it('is an error if that does not end', () => expect(() => openWithRemovals(99)).toThrow('ENOENT'));

  it('with another error is not opened again', () => {
    let opened = 0;
    const fail = () => {
      opened++;
      throw new KernelError('load', 'koffi.node', 'EACCES');
    };
    expect(() => openUnpackedAddon(anAddon(), fail)).toThrow('EACCES');
    expect(opened).toBe(1);
  });
});

it('many processes unpack while the folder is removed three times, and all of them open the addon', async () => {
  const { root, folders } = anAddon();
  const [, , folder = ''] = folders;
  const program = `
    import { readFileSync } from 'node:fs';
    import { openUnpackedAddon } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/native-addon-file.ts'))};
    import { KernelError } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/kernel-error.ts'))};
    const addon = { folders: ${JSON.stringify(folders)}, fileName: 'a.node', bytes: Buffer.alloc(1_000_000, 'x') };
    const read = (path) => {
      try { return readFileSync(path); } catch (error) { throw new KernelError('read', path, error.code); }
    };
    for (let times = 0; times < 20; times++) if (!openUnpackedAddon(addon, read).equals(addon.bytes)) throw new Error('half a file');`;
  const runs = Promise.all(
    Array.from({ length: 6 }, () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])),
  );
  const path = join(folder, 'a.node');
  // Each attempt can meet every removal, so there are fewer of them than attempts.
  for (let removals = 0; removals < 3; removals++) {
    await until('it is unpacked', () => existsSync(path));
    renameSync(dirname(path), join(root, `.removed-${removals}`)); // as src/install/native-folders.ts does
  }
  await expect(runs).resolves.toHaveLength(6);
});

it('many processes at the same time all see complete files', async () => {
  const { folders } = anAddon();
  const [, , folder = ''] = folders;
  const program = `
    import { readFileSync } from 'node:fs';
    import { unpackNativeAddon } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/native-addon-file.ts'))};
    const bytes = Buffer.alloc(1_000_000, 'x');
    const path = unpackNativeAddon({ folders: ${JSON.stringify(folders)}, fileName: 'a.node', bytes });
    if (!readFileSync(path).equals(bytes)) throw new Error('half a file');`;
  const runs = Array.from({ length: 20 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]),
  );
  await expect(Promise.all(runs)).resolves.toHaveLength(20);
  expect(readdirSync(folder)).toEqual(['a.node']);
});

it("in a user namespace the real root's files, which show the overflow uid, are trusted", () => {
  const { addon } = unpacked();
  const program = `
    import { unpackNativeAddon } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/native-addon-file.ts'))};
    unpackNativeAddon({ ...${JSON.stringify({ ...addon, bytes: undefined })}, bytes: Buffer.from('the addon') });`;
  const run = spawnSync('unshare', ['--user', process.execPath, '--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  expect([run.stderr, run.status]).toEqual(['', 0]);
});

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { getAsset, getRawAsset, isSea } from 'node:sea';
import { KernelError } from './kernel-error.ts';
import { parseLibrarySlot } from './library-folder.ts';
import { openUnpackedAddon, unpackNativeAddon, type NativeAddonFile } from './native-addon-file.ts';
import { messageOf } from './error-text.ts';

export type NativeAddonName = 'netlink' | 'koffi';

/**
 * Loads a native addon.
 *
 * Inside the executable the addon is the asset `netlink.node` or `koffi.node`. It is unpacked on first use into the folder
 * of the executable's own libraries, or if it has none, below /var/lib/podwire/native, in a folder named after the asset
 * `version`. Elsewhere it comes from the node_modules of the program that Node was started with.
 *
 * @returns its exports
 * @throws {KernelError} naming the file and what to do
 */
export function loadNativeAddon(name: NativeAddonName): unknown {
  return isSea()
    ? openUnpackedAddon(addonFile(name, ownFolders()), openNativeAddon)
    : openNativeAddon(packagedAddonPath(name));
}

/**
 * Loads a native addon from a file.
 *
 * @returns its exports
 * @throws {KernelError} naming the file and what to do
 */
export function openNativeAddon(path: string): unknown {
  const target = { exports: {} };
  try {
    process.dlopen(target, path);
  } catch (cause) {
    if (!existsSync(path)) throw new KernelError('load', path, 'ENOENT', { finding: 'PW109', cause });
    const reason = messageOf(cause);
    if (reason.includes('Too many open files')) throw new KernelError('load', path, 'EMFILE', { cause });
    // This is how glibc reports that an mmap with PROT_EXEC failed.
    const isNoexec = reason.includes('failed to map segment');
    const explanation = isNoexec
      ? `its file system is mounted noexec, or a security module forbids execution there: allow it (${reason})`
      : reason;
    throw new KernelError('load', path, isNoexec ? 'EACCES' : 'ELIBACC', { explanation, finding: 'PW109', cause });
  }
  return target.exports;
}

/**
 * Unpacks every addon of the executable, so that no command has to. Outside the executable it does nothing.
 *
 * @param folders the folders that belong to podwire, from the outermost to that of the addons
 * @param write writes a file atomically
 * @returns the paths of the files
 * @throws {KernelError} naming the path and what to do
 */
export function unpackNativeAddons(
  folders: readonly string[],
  write: NonNullable<NativeAddonFile['write']>,
): readonly string[] {
  return isSea() ? NATIVE_ADDONS.map((name) => unpackNativeAddon({ ...addonFile(name, folders), write })) : [];
}

/** The folder that the executable gets its loader and its libraries from; `undefined` if it uses the machine's. */
export function ownLibraryFolder(): string | undefined {
  return isSea() ? parseLibrarySlot(new Uint8Array(getRawAsset('library-folder'))) : undefined;
}

const NATIVE_ADDONS = ['netlink', 'koffi'] as const satisfies readonly NativeAddonName[];

const NATIVE_ROOT = '/var/lib/podwire/native';

function ownFolders(): readonly string[] {
  const libraries = ownLibraryFolder();
  if (libraries !== undefined) return [libraries];
  return [dirname(NATIVE_ROOT), NATIVE_ROOT, join(NATIVE_ROOT, getAsset('version', 'utf8').trim())];
}

function addonFile(name: NativeAddonName, folders: readonly string[]): NativeAddonFile {
  return { folders, fileName: `${name}.node`, bytes: new Uint8Array(getRawAsset(`${name}.node`)) };
}

const PACKAGED: Readonly<Record<NativeAddonName, string>> = {
  netlink: `netlink/prebuilds/linux-${process.arch}/node.napi.node`,
  koffi: `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
};

function packagedAddonPath(name: NativeAddonName): string {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(process.argv[1] ?? join(process.cwd(), 'program.js')).resolve(PACKAGED[name]);
}

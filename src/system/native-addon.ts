import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getAsset, getRawAsset, isSea } from 'node:sea';
import { KernelError } from './kernel-error.ts';
import { unpackNativeAddon, type NativeAddonFile } from './native-addon-file.ts';
import { messageOf } from './error-text.ts';

export type NativeAddonName = 'netlink' | 'koffi';

/**
 * What a native addon exports.
 *
 * Inside the executable the addon is the asset `netlink.node` or `koffi.node`, unpacked on first use below
 * /var/lib/podwire/native, in a folder named after the asset `version`. Elsewhere it comes from node_modules, found from
 * the program that Node was started with.
 *
 * @throws {KernelError} naming the file and what to do
 */
export function loadNativeAddon(name: NativeAddonName): unknown {
  const path = isSea() ? unpackedAddonPath(name) : packagedAddonPath(name);
  return openNativeAddon(path);
}

/**
 * Loads an addon's file.
 *
 * @throws {KernelError} naming the file and what to do
 */
export function openNativeAddon(path: string): unknown {
  const target = { exports: {} };
  try {
    process.dlopen(target, path);
  } catch (cause) {
    const reason = messageOf(cause);
    // glibc's words for an mmap with PROT_EXEC that is refused.
    const isNoexec = reason.includes('failed to map segment');
    const explanation = isNoexec
      ? `its file system is mounted noexec, or a security module forbids to execute from it: allow it (${reason})`
      : reason;
    throw new KernelError('load', path, isNoexec ? 'EACCES' : 'ELIBACC', { explanation, cause });
  }
  return target.exports;
}

/**
 * Unpacks all addons of the executable below a folder, so that no command has to. None outside the executable.
 *
 * @param unfinishedName what one is called while it is written
 * @returns their paths
 * @throws {KernelError} naming the path and what to do
 */
export function unpackNativeAddons(root: string, temporaryName: string): readonly string[] {
  return isSea() ? NATIVE_ADDONS.map((name) => unpackedAddonPath(name, { root, temporaryName })) : [];
}

const NATIVE_ADDONS = ['netlink', 'koffi'] as const satisfies readonly NativeAddonName[];

const NATIVE_ROOT = '/var/lib/podwire/native';

function unpackedAddonPath(
  name: NativeAddonName,
  place: Pick<NativeAddonFile, 'root' | 'temporaryName'> = { root: NATIVE_ROOT },
): string {
  const bytes = new Uint8Array(getRawAsset(`${name}.node`));
  return unpackNativeAddon({
    ...place,
    version: getAsset('version', 'utf8').trim(),
    fileName: `${name}.node`,
    bytes,
  });
}

const PACKAGED: Readonly<Record<NativeAddonName, string>> = {
  netlink: `netlink/prebuilds/linux-${process.arch}/node.napi.node`,
  koffi: `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`,
};

function packagedAddonPath(name: NativeAddonName): string {
  return createRequire(process.argv[1] ?? join(process.cwd(), 'program.js')).resolve(PACKAGED[name]);
}

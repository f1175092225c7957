/**
 * What an executable says about where its loader and its libraries are. It is an asset of a fixed size, `library-folder`,
 * which src/install/bind-executable.ts fills in: the kernel and the loader read the paths from there, too.
 *
 * An empty slot means that the machine's own loader and libraries are used.
 */
export const LIBRARY_SLOT = {
  sizeBytes: 1024,
  /** Finds the slot in an executable. In hexadecimal here, so that it occurs only once in there. */
  magic: Buffer.from('b1d6e2c08f5a4b7c93e1705fd42a6c8e', 'hex'),
  loaderAt: 32,
  folderAt: 544,
} as const;

/** The longest path of the folder, in bytes. */
export const MAX_FOLDER_BYTES = LIBRARY_SLOT.sizeBytes - LIBRARY_SLOT.folderAt - 1;

/**
 * The content of the slot.
 *
 * @param loaderName the file name of the loader in the folder
 * @throws {RangeError} if the path is too long, or contains what the loader gives a meaning to
 */
export function formatLibrarySlot(folder: string | undefined, loaderName: string): Buffer {
  const slot = Buffer.alloc(LIBRARY_SLOT.sizeBytes);
  LIBRARY_SLOT.magic.copy(slot);
  if (folder === undefined) return slot;
  const loader = `${folder}/${loaderName}`;
  const isTooLong =
    Buffer.byteLength(folder) > MAX_FOLDER_BYTES ||
    Buffer.byteLength(loader) >= LIBRARY_SLOT.folderAt - LIBRARY_SLOT.loaderAt;
  if (isTooLong) throw new RangeError(`the path of the library folder is too long: ${folder}`);
  // ld.so(8): several folders, and tokens such as $ORIGIN.
  if (/[:$]/.test(folder)) throw new RangeError(`the path of a library folder cannot contain ":" or "$": ${folder}`);
  slot.write(loader, LIBRARY_SLOT.loaderAt);
  slot.write(folder, LIBRARY_SLOT.folderAt);
  return slot;
}

/** The folder in a slot; `undefined` if the slot is empty. */
export function parseLibrarySlot(slot: Uint8Array): string | undefined {
  const folder = Buffer.from(slot).subarray(LIBRARY_SLOT.folderAt);
  const end = folder.indexOf(0);
  return end <= 0 ? undefined : folder.toString('utf8', 0, end);
}

/**
 * Changes glibc's dynamic loader so that it loads nothing but what an executable's own DT_RPATH leads to:
 *
 * - It ignores every variable whose name begins with `LD_`, and GLIBC_TUNABLES. LD_PRELOAD and LD_AUDIT would load libraries
 *   of the host, and others print on standard output.
 * - It reads neither /etc/ld.so.preload nor /etc/ld.so.cache.
 * - It searches no default folder, not even for a library that another library opens, such as a name service of the host.
 *
 * No byte is added or removed. The variables stay in the environment, for the programs that the executable starts.
 *
 * @throws {Error} if this glibc does not contain exactly what is to be changed
 */
export function isolateLoader(bytes: Buffer): Buffer {
  const loader = Buffer.from(bytes);
  const architecture = ARCHITECTURES[bytes.readUInt16LE(ELF_MACHINE_AT)];
  if (architecture === undefined) throw new Error('the loader is for another machine than x64 and arm64');
  for (const name of ['ld.so.preload', 'ld.so.cache']) replaceText(loader, `/etc/${name}\0`, `${NOWHERE}/${name}\0`);
  // A name cannot contain `=`.
  replaceText(loader, 'GLIBC_TUNABLES\0', '=LIBC_TUNABLES\0');
  replaceText(loader, defaultFolders(architecture), defaultFolders(architecture).replaceAll(/[^\0]+/g, asNowhere));
  CODE[architecture](loader);
  return loader;
}

type Architecture = 'x64' | 'arm64';

/** From elf.h: e_machine. */
const ARCHITECTURES: Readonly<Record<number, Architecture>> = { 62: 'x64', 183: 'arm64' };
const ELF_MACHINE_AT = 18;

/** A folder that contains no such files, and in which nothing can create any. Its name is as long as `/etc`. */
const NOWHERE = '/sys';

function asNowhere(folder: string): string {
  return NOWHERE.padEnd(folder.length, '/');
}

// As Debian builds glibc. The loader has them one after the other, in this order.
function defaultFolders(architecture: Architecture): string {
  const triplet = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[architecture];
  return [`/lib/${triplet}/`, `/usr/lib/${triplet}/`, '/lib/', '/usr/lib/'].map((folder) => `${folder}\0`).join('');
}

/**
 * `_dl_next_ld_env_entry` compares the first three bytes of each variable with `L`, `D` and `_`. With the second comparison
 * of the first byte again, no variable can match.
 */
const CODE: Readonly<Record<Architecture, (loader: Buffer) => void>> = {
  x64(loader) {
    const pattern = /\x80\x38L\x75[^]\x80\x78\x01D\x75[^]\x80\x78\x02_\x75/g; // cmpb $'D',1(%rax)
    loader.writeUInt8(0, onlyMatch(loader, pattern) + 7);
  },
  arm64(loader) {
    const matches: number[] = [];
    for (let at = 0; at + 32 <= loader.length; at += 4) if (comparesPrefix(loader, at)) matches.push(at);
    const [at] = matches;
    if (at === undefined || matches.length > 1) throw unknownLoaderError('the check of LD_', matches.length);
    loader.writeUInt32LE(loadByte(loader.readUInt32LE(at + 12), 0), at + 12);
  },
};

// ldrb w,[x]; cmp w,#'L'; b.ne; ldrb w,[x,#1]; cmp w,#'D'; b.ne; ldrb w,[x,#2]; cmp w,#'_'
function comparesPrefix(loader: Buffer, at: number): boolean {
  return ['L', 'D', '_'].every((character, index) => {
    const load = loader.readUInt32LE(at + index * 12);
    const compare = loader.readUInt32LE(at + index * 12 + 4);
    const isLoad = (load & 0xffc00000) >>> 0 === 0x39400000 && load === loadByte(load, index);
    return isLoad && (compare & 0xfffffc1f) >>> 0 === (0x7100001f | (character.charCodeAt(0) << 10)) >>> 0;
  });
}

/** The instruction `ldrb` with another offset. */
function loadByte(instruction: number, offset: number): number {
  return ((instruction & ~(0xfff << 10)) | (offset << 10)) >>> 0;
}

function replaceText(bytes: Buffer, before: string, after: string): void {
  let count = 0;
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1), count++) bytes.write(after, at);
  if (count === 0) throw unknownLoaderError(JSON.stringify(before), count);
}

function onlyMatch(bytes: Buffer, pattern: RegExp): number {
  const matches = [...bytes.toString('latin1').matchAll(pattern)];
  const [match] = matches;
  if (match === undefined || matches.length > 1) throw unknownLoaderError(String(pattern), matches.length);
  return match.index;
}

function unknownLoaderError(what: string, count: number): Error {
  return new Error(
    `expected ${what} once in the loader, found it ${count} times: adapt src/install/isolate-loader.ts to this glibc`,
  );
}

import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { unpackDebianPackage, unpackedPackageFolder } from './debian-package.ts';
import { isExecutable } from './go-build.ts';

/** Programs that tests and demos run, and the Debian packages that contain them. */
const PROGRAMS = {
  bird: { package: 'bird2', folder: 'usr/sbin', beside: ['birdc'] },
  bpftool: { package: 'bpftool', folder: 'usr/sbin', beside: [] },
  // Cilium needs 18.1 or newer, and Debian 12 has 14 under the name clang.
  clang: { package: 'clang-19', folder: 'usr/lib/llvm-19/bin', beside: [] },
} as const;

export type DebianProgram = keyof typeof PROGRAMS;

/** Every program's name. */
export function debianPrograms(): readonly DebianProgram[] {
  return Object.keys(PROGRAMS).filter((name): name is DebianProgram => Object.hasOwn(PROGRAMS, name));
}

async function findDebianProgram(name: DebianProgram): Promise<string | undefined> {
  // The PATH of an ordinary user may lack /usr/sbin and /sbin.
  const onMachine = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  // A clang of the machine may be too old.
  const folders = [...(name === 'clang' ? [`/${PROGRAMS.clang.folder}`] : onMachine), unpackedFolder(name)];
  for (const path of folders.map((folder) => join(folder, name))) if (await isExecutable(path)) return path;
  return undefined;
}

/**
 * Finds the program on this machine, or the copy that was unpacked below dist/tools.
 *
 * @throws {Error} saying what to run, if both are missing
 */
export async function debianProgram(name: DebianProgram): Promise<string> {
  const path = await findDebianProgram(name);
  if (path === undefined) {
    throw new Error(`${name} is missing: npm run tools, or apt-get install ${PROGRAMS[name].package}`);
  }
  return path;
}

/**
 * Finds the program, or unpacks it from its Debian package. The package is not installed, because it may start a
 * daemon on this machine, or be large.
 *
 * @param say is called before something is downloaded
 * @throws {Error} if the package cannot be downloaded
 */
export async function ensureDebianProgram(name: DebianProgram, say: (line: string) => void): Promise<string> {
  const found = await findDebianProgram(name);
  if (found !== undefined) return found;
  const { package: packageName, folder, beside } = PROGRAMS[name];
  say(`unpacking the Debian package ${packageName} into ${unpackedPackageFolder(packageName)}`);
  await unpackDebianPackage(packageName, 'with dependencies');
  await mkdir(unpackedFolder(name), { recursive: true });
  const libraries = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  // The program itself is written last: a process that finds it also finds the programs next to it.
  for (const program of [...beside, name]) {
    const script = `#!/bin/sh
root=\${0%/*}/..
export LD_LIBRARY_PATH="$root/usr/lib/${libraries}:$root/lib/${libraries}"
exec "$root/${folder}/${program}" "$@"
`;
    await writeFile(join(unpackedFolder(name), program), script, { mode: 0o755 });
  }
  return join(unpackedFolder(name), name);
}

// A separate folder for PATH: the other programs of the package only find their libraries where they are installed.
function unpackedFolder(name: DebianProgram): string {
  return join(unpackedPackageFolder(PROGRAMS[name].package), 'podwire-bin');
}

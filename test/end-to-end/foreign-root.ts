import { execFile } from 'node:child_process';
import { appendFile, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { bindExecutable } from '../../src/install/bind-executable.ts';
import { EXECUTABLE } from '../lab/run-executable.ts';
import { DEBIAN_LIBRARIES, MUSL, writeOwnLibraries } from '../lab/tools/debian-libraries.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';

/** A root file system of a node, which has what every node has, and the libraries of one kind of host. */
export interface ForeignRoot extends AsyncDisposable {
  readonly path: string;
  /** A program and its first arguments: it runs another one that sees only this root, with these variables. */
  readonly within: (variables?: Readonly<Record<string, string>>) => readonly string[];
  /** What podwire and the programs that it starts have opened since the last call, or tried to open. */
  opened(): Promise<readonly string[]>;
}

/** The executable as the image has it, with its libraries. */
export const IMAGE = '/image';
/** The executable alone, which uses the libraries of the host. */
export const PLAIN = '/image/plain';
/** A folder with files that have the names of libraries, but other contents. */
export const BROKEN_LIBRARIES = '/broken';

/** What the loader of glibc says about a file that is not a library. */
const LOADER_FAILURE = /error while loading shared libraries: .*(?:file too short|invalid ELF header)/;

interface Host {
  readonly prepare: (root: string) => Promise<void>;
  /** What is printed if the executable without its own libraries is run there, with the variables of the test. */
  readonly failure: RegExp;
}

/** Which libraries a host has. */
export const HOSTS = {
  'no library at all': { prepare: async () => undefined, failure: /plain': No such file or directory/ },
  musl: { prepare: async (root) => cp(MUSL, root, { recursive: true }), failure: /plain': No such file or directory/ },
  'a broken libstdc++': {
    async prepare(root) {
      await copyDebianLibraries(root);
      await breakLibrary(join(root, 'usr/lib', TRIPLET, 'libstdc++.so.6'));
    },
    failure: LOADER_FAILURE,
  },
  'a broken C library, which ld.so.preload and ld.so.cache name': {
    async prepare(root) {
      await copyDebianLibraries(root);
      await breakLibrary(join(root, 'lib', TRIPLET, 'libc.so.6'));
      await writeFile(join(root, 'etc/ld.so.preload'), `${BROKEN_LIBRARIES}/libc.so.6\n`);
      await writeFile(join(root, 'etc/ld.so.cache'), 'not a cache');
    },
    failure: LOADER_FAILURE,
  },
  'sound libraries, but variables that name others': { prepare: copyDebianLibraries, failure: LOADER_FAILURE },
} as const satisfies Readonly<Record<string, Host>>;

const TRIPLET = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const CARRIED = ['host-local', 'portmap', 'bandwidth', 'tuning', 'loopback'] as const;
const NAMES = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libgcc_s.so.1', 'libstdc++.so.6'] as const;
const SYSTEM_CALLS = 'open,openat,execve,readlink,access,newfstatat,stat';

/** Makes the root of a host with these libraries. */
export async function makeForeignRoot(host: keyof typeof HOSTS): Promise<ForeignRoot> {
  const path = await mkdtemp('/run/podwire-root-');
  const inRoot = (name: string) => join(path, name);
  const folders = ['proc', 'sys', 'dev', 'run', 'etc/cni/net.d', 'opt/cni/bin', 'var/lib', 'image', 'broken'];
  for (const name of folders) await mkdir(inRoot(name), { recursive: true });
  await HOSTS[host].prepare(path);
  for (const name of NAMES) await writeFile(inRoot(`broken/${name}`), 'not a library');
  await copyFile(EXECUTABLE, inRoot('image/plain'));
  await copyFile(EXECUTABLE, inRoot('image/podwire'));
  await writeOwnLibraries(inRoot('image/libraries'), EXECUTABLE);
  await bindExecutable(inRoot('image/podwire'), `${IMAGE}/libraries`);
  await copyFile(await busybox(), inRoot('image/busybox'));
  const tools = await ensureTools(CARRIED);
  for (const name of CARRIED) await copyFile(tools[name], inRoot(`image/${name}`));
  const trace = `${path}.trace`;
  await writeFile(trace, '');
  const script = `for name in proc sys dev run; do mount --rbind "/$name" "$0/$name"; done &&
    exec strace --follow-forks -qq --output="$0.trace" --output-append-mode --trace='?${SYSTEM_CALLS.replaceAll(',', ',?')}' \\
    "$0/image/busybox" chroot "$0" "$@"`;
  return {
    path,
    within: (variables = {}) => {
      // A static program: the tracer and chroot(1), which are not, could not run with these variables.
      const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
      return ['unshare', '--mount', 'sh', '-c', script, path, '/image/busybox', 'env', ...set];
    },
    async opened() {
      const lines = (await readFile(trace, 'utf8')).split('\n');
      await writeFile(trace, '');
      return pathsOf(lines);
    },
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
      await rm(trace);
    },
  };
}

async function copyDebianLibraries(root: string): Promise<void> {
  await cp(DEBIAN_LIBRARIES, root, { recursive: true, verbatimSymlinks: true });
}

async function breakLibrary(path: string): Promise<void> {
  await rm(path);
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, 'not a library');
}

async function busybox(): Promise<string> {
  return (await promisify(execFile)('sh', ['-c', 'command -v busybox'])).stdout.trim();
}

// What the tracer and chroot(1) do themselves comes before.
function pathsOf(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => /execve\("\/(?:opt\/cni\/bin|image)\/(?:podwire|plain)"/.test(line));
  return lines.slice(first).flatMap((line) => /^\d+ +\w+\([^"]*"(\/[^"]*)"/.exec(line)?.[1] ?? []);
}

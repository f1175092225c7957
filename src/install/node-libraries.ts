/** What the node's loader prints about a program's libraries: `ld-linux-x86-64.so.2 --list`. */
export interface LoaderListing {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Paths of glibc's loader, relative to a root: first the path that the ABI defines, then the usual targets of links
 * there.
 */
export const LOADERS: Readonly<Record<string, readonly string[]>> = {
  x64: [
    'lib64/ld-linux-x86-64.so.2',
    'usr/lib64/ld-linux-x86-64.so.2',
    'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
  ],
  arm64: ['lib/ld-linux-aarch64.so.1', 'usr/lib/ld-linux-aarch64.so.1', 'usr/lib64/ld-linux-aarch64.so.1'],
};

/** The library folders of Debian and Red Hat below a root. */
export function libraryFolders(nodeRoot: string, arch: string): readonly string[] {
  const triplet = arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  const folders = [`lib/${triplet}`, `usr/lib/${triplet}`, 'lib64', 'usr/lib64', 'lib', 'usr/lib'];
  return folders.map((folder) => `${nodeRoot}/${folder}`);
}

/**
 * Why the node cannot load the program, in the loader's words; `undefined` if it can.
 *
 * The loader also searches the folders of the image that it runs in: a library that it finds there is missing on the
 * node.
 */
export function missingOnNode({ exitCode, stdout, stderr }: LoaderListing, nodeRoot: string): string | undefined {
  for (const line of stdout.split('\n')) {
    const [, name = '', path] = /^\s*(\S+) => (?:(\/\S*)|not found)/.exec(line) ?? [];
    if (name !== '' && path?.startsWith(`${nodeRoot}/`) !== true) {
      return `${name}: cannot open shared object file: it is missing on the node`;
    }
  }
  return exitCode === 0 ? undefined : stderr.trim() || stdout.trim() || 'the loader failed without a message';
}

import { InstallError } from './install-error.ts';

/** How a test run of a CNI plugin failed: it did not print the versions of CNI that it supports. */
export interface FailedRun {
  readonly program: string;
  /** The errno's name, if the program could not be started. */
  readonly errno: string | undefined;
  readonly signal: string | null;
  readonly stderr: string;
}

/** The error that says why a node cannot run a program, and what to do about it. */
export function failedRunError({ program, errno, signal, stderr }: FailedRun): InstallError {
  return new InstallError(
    `this node cannot run ${program}: ${explain({ errno, signal, stderr })}; nothing was replaced`,
    {
      details: stderr.trim().slice(0, 500),
    },
  );
}

/** The distribution's package of a library. */
export function missingLibraryRemedy(library: string): string {
  const name = PACKAGES.find(([stem]) => library.startsWith(stem))?.[1];
  return name === undefined ? 'install it on the node' : `install ${name} on the node`;
}

export const NO_LOADER =
  'the loader of glibc is missing (a system with musl has no such loader): podwire needs a node with glibc 2.28 or newer';

function explain({ errno, signal, stderr }: Omit<FailedRun, 'program'>): string {
  const [, version] = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/.exec(stderr) ?? [];
  if (version !== undefined) {
    return `it needs ${version.replace('_', ' ')}, and this system has an older version: ${OLD_SYSTEM}`;
  }
  const [, library] = /(\S+\.so[\d.]*): cannot open shared object file/.exec(stderr) ?? [];
  if (library !== undefined) return `the library ${library} is missing: ${missingLibraryRemedy(library)}`;
  if (errno === 'EACCES') {
    return 'its folder is mounted noexec, or a security module forbids execution: allow execution there';
  }
  if (errno === 'ENOEXEC' || /exec format error/i.test(stderr)) {
    return 'it was built for another architecture: use the image for this architecture';
  }
  if (errno === 'ENOENT') return NO_LOADER;
  return signal === null ? 'it did not answer like a CNI plugin' : `it was ended by ${signal}`;
}

const OLD_SYSTEM = 'podwire needs a node with glibc 2.28 or newer (RHEL 8, Debian 10, Ubuntu 20.04)';

const PACKAGES: readonly (readonly [string, string])[] = [
  ['libstdc++.so', 'libstdc++6 (on RHEL libstdc++)'],
  ['libgcc_s.so', 'libgcc-s1 (on RHEL libgcc)'],
  ['libatomic.so', 'libatomic1 (on RHEL libatomic)'],
];

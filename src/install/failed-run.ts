import { CniError, ERROR_CODE } from '../cni/error.ts';

/** How the run of a program ended that should have printed the versions of CNI. */
export interface FailedRun {
  readonly program: string;
  /** errno's name, if it could not even be started. */
  readonly errno: string | undefined;
  readonly signal: string | null;
  readonly stderr: string;
}

/** Why a node cannot run a program, and what to do about it. */
export function explainFailedRun({ program, errno, signal, stderr }: FailedRun): CniError {
  const [, version] = /version [`'](GLIBC(?:XX)?_[\d.]+)' not found/.exec(stderr) ?? [];
  const [, library] = /(\S+\.so[\d.]*): cannot open shared object file/.exec(stderr) ?? [];
  const why = () => {
    if (version !== undefined) return `it needs ${version.replace('_', ' ')}, and this system's is older: ${OLD}`;
    if (library !== undefined) return `the library ${library} is missing: ${missingLibraryRemedy(library)}`;
    if (errno === 'EACCES')
      return 'its folder is mounted noexec, or a security module forbids it: allow to execute there';
    if (errno === 'ENOEXEC' || /exec format error/i.test(stderr))
      return 'it is for another architecture: use the image for this one';
    if (errno === 'ENOENT') return NO_LOADER;
    return signal === null ? 'it did not answer as a CNI plugin does' : `it was ended by ${signal}`;
  };
  return new CniError(ERROR_CODE.notAvailable, `this node cannot run ${program}: ${why()}; nothing was replaced`, {
    details: stderr.trim().slice(0, 500),
  });
}

/** What a node's package of a library is called. */
export function missingLibraryRemedy(library: string): string {
  const name = PACKAGES.find(([stem]) => library.startsWith(stem))?.[1];
  return name === undefined ? 'install it on the node' : `install ${name} on the node`;
}

export const NO_LOADER =
  'there is no loader of glibc (a system with musl has none): podwire needs a node with glibc 2.28 or newer';

const OLD = 'podwire needs a node with glibc 2.28 or newer (RHEL 8, Debian 10, Ubuntu 20.04)';

const PACKAGES: readonly (readonly [string, string])[] = [
  ['libstdc++.so', 'libstdc++6 (on RHEL libstdc++)'],
  ['libgcc_s.so', 'libgcc-s1 (on RHEL libgcc)'],
  ['libatomic.so', 'libatomic1 (on RHEL libatomic)'],
];

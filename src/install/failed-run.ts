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

function explain({ errno, signal, stderr }: Omit<FailedRun, 'program'>): string {
  // The second is how the loader reports that it cannot map a library for execution.
  if (errno === 'EACCES' || stderr.includes('failed to map segment')) {
    return 'its folder is mounted noexec, or a security module forbids execution: allow execution there';
  }
  if (errno === 'ENOEXEC' || /exec format error/i.test(stderr)) {
    return 'it was built for another architecture: use the image for this architecture';
  }
  if (errno === 'ENOENT') return 'the loader that it names is missing: use the image, which contains one';
  return signal === null ? 'it did not answer like a CNI plugin' : `it was ended by ${signal}`;
}

import type { FindingNumber } from '../cni/error.ts';
import { getSystemErrorMap, getSystemErrorName } from 'node:util';

/** A system call that failed. `message` is complete on its own: operation, object, the errno's meaning and name. */
export class KernelError extends Error {
  override readonly name: string = 'KernelError';
  /** What was attempted: `add route`. */
  readonly operation: string;
  /** The object of the operation: `10.0.0.5/32 on cali123 (host)`. */
  readonly object: string;
  /** `EEXIST`. */
  readonly errnoName: string;
  /** The interface that already has the route that was to be added, if it is known. */
  readonly owner: string | undefined;
  /** The number of the finding, if this error is one. */
  readonly finding: FindingNumber | undefined;

  constructor(
    operation: string,
    object: string,
    errnoName: string,
    {
      explanation,
      owner,
      finding,
      cause,
    }: {
      explanation?: string | undefined;
      owner?: string | undefined;
      finding?: FindingNumber | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(`cannot ${operation} ${object}: ${explanation ?? meaningOf(errnoName)} (${errnoName})`, { cause });
    this.operation = operation;
    this.object = object;
    this.errnoName = errnoName;
    this.owner = owner;
    this.finding = finding;
  }
}

/**
 * This thread is in a pod's network namespace and cannot leave it. From then on nothing may be changed, not even by an
 * undo.
 */
export class NamespaceLostError extends KernelError {
  override readonly name = 'NamespaceLostError';
}

/** `EEXIST` for 17; `errno 12345` for a number that this system does not define. */
export function formatErrno(errno: number): string {
  if (!Number.isInteger(errno) || errno <= 0) return `errno ${errno}`;
  const name = getSystemErrorName(-errno);
  return name.startsWith('Unknown') ? `errno ${errno}` : name;
}

const MEANINGS: Readonly<Record<string, string>> = {
  EEXIST: 'it already exists',
  EMFILE: 'this process has too many open files; raise the limit of the container runtime (LimitNOFILE, ulimit -n)',
  ENFILE: 'the system has too many open files; raise fs.file-max',
  ENODEV: 'the interface does not exist',
  ENOENT: 'the file does not exist',
  EPERM: 'not permitted (CAP_NET_ADMIN and CAP_SYS_ADMIN are needed)',
  ENETUNREACH: 'its gateway cannot be reached over this interface',
};

function meaningOf(name: string): string {
  const known = MEANINGS[name];
  if (known !== undefined) return known;
  for (const [systemName, message] of getSystemErrorMap().values()) if (systemName === name) return message;
  return 'the kernel rejected it';
}

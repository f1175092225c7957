import { getSystemErrorMap, getSystemErrorName } from 'node:util';

/** What the kernel refused. `message` reads well alone: operation, object, the errno's name and meaning. */
export class KernelError extends Error {
  override readonly name: string = 'KernelError';
  /** What was tried: `add route`. */
  readonly operation: string;
  /** On what: `10.0.0.5/32 on cali123 (host)`. */
  readonly object: string;
  /** `EEXIST`. */
  readonly errnoName: string;
  /** The interface that has already what was to be added, where that can be known. */
  readonly owner: string | undefined;

  constructor(
    operation: string,
    object: string,
    errnoName: string,
    {
      explanation,
      owner,
      cause,
    }: { explanation?: string | undefined; owner?: string | undefined; cause?: unknown } = {},
  ) {
    super(`cannot ${operation} ${object}: ${explanation ?? meaningOf(errnoName)} (${errnoName})`, { cause });
    this.operation = operation;
    this.object = object;
    this.errnoName = errnoName;
    this.owner = owner;
  }
}

/** This thread is in a pod's network namespace and cannot leave it: nothing may be done any more, not even an undo. */
export class NamespaceLostError extends KernelError {
  override readonly name = 'NamespaceLostError';
}

/** `EEXIST` for 17; a number that this system does not know becomes `errno 12345`. */
export function formatErrno(errno: number): string {
  if (!Number.isInteger(errno) || errno <= 0) return `errno ${errno}`;
  const name = getSystemErrorName(-errno);
  return name.startsWith('Unknown') ? `errno ${errno}` : name;
}

const MEANINGS: Readonly<Record<string, string>> = {
  EEXIST: 'it exists already',
  ENODEV: 'there is no such interface',
  ENOENT: 'there is no such file',
  EPERM: 'not permitted (CAP_NET_ADMIN and CAP_SYS_ADMIN are needed)',
  ENETUNREACH: 'its gateway cannot be reached over this interface',
};

function meaningOf(name: string): string {
  const known = MEANINGS[name];
  if (known !== undefined) return known;
  for (const [systemName, message] of getSystemErrorMap().values()) if (systemName === name) return message;
  return 'the kernel refused';
}

/**
 * The `code` of an error result. Codes 1 to 99 are the specification's, and all of its codes are listed, used here or
 * not. Codes from 100 on are a plugin's own.
 *
 * @see SPEC.md 1.1.0, section 5, Error
 */
export const ERROR_CODE = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  inputOutput: 5,
  undecodable: 6,
  invalidConfig: 7,
  invalidSandbox: 8,
  tryAgainLater: 11,
  notAvailable: 50,
  limitedConnectivity: 51,
  apiRefused: 100,
  kernelRefused: 101,
  delegateFailed: 102,
  interfaceTaken: 103,
  routeTaken: 104,
  invalidAnnotation: 105,
  drifted: 106,
  internal: 999,
} as const;

/**
 * The only error that a runtime sees. `message` says what failed, on which object, and what to do. `details` holds
 * the name of the errno, the URL or the delegate's own text. `cause` is only for the log.
 *
 * `code` is a plain number because the code of a delegate's error passes through unchanged.
 */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;
  readonly details: string;
  /** The number under which `podwire doctor` and docs/troubleshooting.md describe this fault, if they do. */
  readonly finding: FindingNumber | undefined;

  constructor(code: number, message: string, { details = '', cause, finding }: CniErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
    this.details = details;
    this.finding = finding;
  }
}

/** The stable number of a fault: `PW401`. The table is in src/diagnosis/finding-table.ts. */
export type FindingNumber = `PW${number}`;

interface CniErrorOptions {
  readonly details?: string;
  readonly cause?: unknown;
  readonly finding?: FindingNumber | undefined;
}

/** A file of a release, which all are in one folder. */
export interface ReleaseFile {
  readonly name: string;
  readonly content: Buffer;
  /** Whether it is a program. */
  readonly isExecutable?: boolean;
}

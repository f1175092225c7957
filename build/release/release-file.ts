/** A file of a release, which all are in one folder. */
export interface ReleaseFile {
  readonly name: string;
  readonly content: Buffer;
  /** Whether it is a program. */
  readonly isExecutable?: boolean;
}

/** The image of a release. */
export interface ReleaseImage {
  /** Without the tag. */
  readonly name: string;
  readonly tag: string;
  /** `sha256:` and 64 digits. */
  readonly digest: string;
}

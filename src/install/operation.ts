import type { Secret } from '../cluster/credentials/secret.ts';

/** One thing that is done to the node. Paths are as this process sees them. */
export type Operation =
  | PlaceProgram
  | WriteFile
  /** Nothing is done, and a line says why. */
  | { readonly kind: 'keep'; readonly shownPath: string; readonly why: string }
  | { readonly kind: 'unpack-native-code'; readonly folder: string; readonly shownPath: string }
  | { readonly kind: 'remove'; readonly path: string; readonly shownPath: string }
  /** With all that is in it. */
  | { readonly kind: 'remove-folder'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-folder-if-empty'; readonly path: string; readonly shownPath: string };

/** Removes unfinished files. */
export function removeLeftovers(paths: readonly string[]): readonly Operation[] {
  return paths.map((path) => ({ kind: 'remove', path, shownPath: path }));
}

/** Put in place whole, and only after it has run. */
export interface PlaceProgram {
  readonly kind: 'place-program';
  readonly from: string;
  readonly path: string;
  /** On the node. */
  readonly shownPath: string;
  /** Where the node's own libraries are to be looked for. */
  readonly nodeRoot: string | undefined;
}

export interface WriteFile {
  readonly kind: 'write-file';
  readonly path: string;
  readonly shownPath: string;
  /** Does not show when it is printed. */
  readonly text: Secret;
  readonly mode: number;
}

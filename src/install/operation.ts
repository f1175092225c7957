import type { Secret } from '../cluster/credentials/secret.ts';

/** One change of the node. `path` is as this process sees it, `shownPath` as the node does. */
export type Operation =
  | {
      /** Puts a complete program in place, after it has run once. */
      readonly kind: 'place-program';
      readonly from: string;
      readonly path: string;
      readonly shownPath: string;
      /** The root below which the node's own libraries are searched; `undefined` if they cannot be checked. */
      readonly nodeRoot: string | undefined;
    }
  | {
      readonly kind: 'write-file';
      readonly path: string;
      readonly shownPath: string;
      /** Is not shown when the operation is printed. */
      readonly text: Secret;
      readonly mode: number;
    }
  | { readonly kind: 'unpack-native-code'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-file'; readonly path: string; readonly shownPath: string }
  /** With everything in it. */
  | { readonly kind: 'remove-folder'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-folder-if-empty'; readonly path: string; readonly shownPath: string }
  /** Changes nothing; the log says why. */
  | { readonly kind: 'keep'; readonly shownPath: string; readonly why: string };

/** Removes temporary files, under their own names. */
export function removeLeftovers(paths: readonly string[]): readonly Operation[] {
  return paths.map((path) => ({ kind: 'remove-file', path, shownPath: path }));
}

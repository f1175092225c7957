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
  /** In a folder of all versions. */
  | { readonly kind: 'unpack-native-code'; readonly path: string; readonly shownPath: string }
  | {
      /** Removes what killed processes left in a folder of all versions, and the versions that no process uses. */
      readonly kind: 'clean-native-code';
      readonly path: string;
      readonly shownPath: string;
      /** The folder of the executable on the node; `undefined` if it is unknown, and no version is removed. */
      readonly usedFolder: string | undefined;
    }
  /** Removes the temporary files of installers that were killed, but not those of an installer that still runs. */
  | { readonly kind: 'remove-abandoned-files'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-file'; readonly path: string; readonly shownPath: string }
  /** With everything in it. */
  | { readonly kind: 'remove-folder'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-folder-if-empty'; readonly path: string; readonly shownPath: string }
  /** Changes nothing; the log says why. */
  | { readonly kind: 'keep'; readonly shownPath: string; readonly why: string };

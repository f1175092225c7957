import type { Secret } from '../cluster/credentials/secret.ts';
import type { NewExecutable } from './place-executable.ts';

/** One change of the node. `path` is as this process sees it, `shownPath` as the node does. */
export type Operation =
  | {
      /** Puts a complete program in place, after it has run once. */
      readonly kind: 'place-program';
      readonly from: string;
      readonly path: string;
      readonly shownPath: string;
    }
  /** The same for the executable, with its libraries. */
  | ({ readonly kind: 'place-executable' } & NewExecutable)
  | {
      readonly kind: 'write-file';
      readonly path: string;
      readonly shownPath: string;
      /** Is not shown when the operation is printed. */
      readonly text: Secret;
      readonly mode: number;
    }
  | {
      readonly kind: 'unpack-native-code';
      readonly path: string;
      readonly shownPath: string;
      /** The folders that belong to podwire, from the outermost to `path`. */
      readonly folders: readonly string[];
    }
  | {
      /** Removes what killed processes left in a folder of all versions, and the versions that no process uses. */
      readonly kind: 'clean-native-code';
      readonly path: string;
      readonly shownPath: string;
      /** The executable on the node, which may be bound to one of the folders. */
      readonly program: string;
      /** The folder that it uses if it is bound to none; `undefined` if that is unknown, and no version is removed. */
      readonly unboundFolder: string | undefined;
    }
  /** Makes the folder of the libraries of the executable that is replaced young, so that `clean-native-code` keeps it for now. */
  | { readonly kind: 'mark-as-replaced'; readonly path: string; readonly shownPath: string }
  /** Removes the temporary files of installers that were killed, but not those of an installer that still runs. */
  | { readonly kind: 'remove-abandoned-files'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-file'; readonly path: string; readonly shownPath: string }
  /** With everything in it. */
  | { readonly kind: 'remove-folder'; readonly path: string; readonly shownPath: string }
  | { readonly kind: 'remove-folder-if-empty'; readonly path: string; readonly shownPath: string }
  /** Changes nothing; the log says why. */
  | { readonly kind: 'keep'; readonly shownPath: string; readonly why: string };

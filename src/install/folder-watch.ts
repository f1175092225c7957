import { watch, type FSWatcher } from 'node:fs';

/** A folder whose files somebody else replaces. */
export interface FolderWatch extends Disposable {
  /** Resolves with the next change, or at once with one that nobody has waited for yet. */
  change(): Promise<void>;
}

/** Watches the folder; one that is not there never changes. Keeps no process alive. */
export function openFolderWatch(folder: string): FolderWatch {
  let pending = Promise.withResolvers<void>();
  let watcher: FSWatcher | undefined;
  try {
    // The kubelet swaps a link in the folder, which is one event or several.
    watcher = watch(folder, { persistent: false }, () => pending.resolve());
    watcher.on('error', () => undefined);
  } catch {
    // What changes there is still seen by the regular look.
  }
  return {
    change: async () => {
      await pending.promise;
      pending = Promise.withResolvers();
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}

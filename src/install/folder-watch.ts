import { watch, type FSWatcher } from 'node:fs';

/** Reports changes in a folder whose files another process replaces. */
export interface FolderWatch extends Disposable {
  /** Resolves with the next change, or immediately with one that happened since the previous call. */
  change(): Promise<void>;
}

/** Watches a folder. A missing folder never changes. The watch does not keep the process alive. */
export function openFolderWatch(folder: string): FolderWatch {
  let pending = Promise.withResolvers<void>();
  let watcher: FSWatcher | undefined;
  try {
    // The kubelet replaces a link in the folder, which is one event or several.
    watcher = watch(folder, { persistent: false }, () => pending.resolve());
    watcher.on('error', () => undefined);
  } catch {
    // The caller also checks at regular intervals, and sees changes then.
  }
  return {
    change: async () => {
      await pending.promise;
      pending = Promise.withResolvers();
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}

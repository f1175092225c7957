import type { Cluster } from '../cluster/cluster.ts';
import type { Delegate } from '../delegate/delegate.ts';
import type { Journal } from '../journal/journal.ts';
import type { StatusCache } from '../cluster/status-cache.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';

/** All by which a command touches the world. */
export interface Effects {
  readonly cluster: Cluster;
  readonly delegate: Delegate;
  readonly journal: Journal;
  readonly kernel: Kernel;
  readonly statusCache: StatusCache;
  readonly log: Log;
  /** Hands the result to the runtime. Rejects if it can no longer be written. */
  readonly output: (text: string) => Promise<void>;
  /** Aborted when the runtime ends this command. Undoing does not listen to it. */
  readonly signal: AbortSignal;
}

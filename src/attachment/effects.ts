import type { Agent } from '../agent/agent.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { PodCidrCache } from '../cluster/pod-cidr-cache.ts';
import type { StatusCache } from '../cluster/status-cache.ts';
import type { Delegate } from '../delegate/delegate.ts';
import type { Journal } from '../journal/journal.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import type { Clock } from '../system/clock.ts';

/** Every side effect that a command may have. */
export interface Effects {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly delegate: Delegate;
  readonly journal: Journal;
  readonly kernel: Kernel;
  readonly podCidrCache: PodCidrCache;
  readonly statusCache: StatusCache;
  readonly log: Log;
  /** Hands the result to the runtime. Rejects if it can no longer be written. */
  readonly output: (text: string) => Promise<void>;
  /** Aborted when the runtime ends this command. Undo actions ignore it. */
  readonly signal: AbortSignal;
}

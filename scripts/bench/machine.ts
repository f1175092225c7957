import { availableParallelism, release } from 'node:os';

/** Describes the machine for a reader of the figures, without its name: `2 cores, Linux 6.18, Node 24.21.0`. */
export function describeMachine(): string {
  const kernel = /^\d+\.\d+/.exec(release())?.[0] ?? 'unknown';
  return `${availableParallelism()} cores, Linux ${kernel}, Node ${process.versions.node}`;
}

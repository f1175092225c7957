import { activityBetween, parseApiMetrics, type ApiActivity, type ApiMetrics } from './api-metrics.ts';
import type { AttachmentRun, Verb } from './attachment-run.ts';
import type { BenchNode } from './bench-node.ts';
import { VERBS, sumOf } from './comparison.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** Many commands at once, and what they cost. */
export interface Storm {
  readonly count: number;
  readonly verb: Verb;
  /** From the first one's start until the last has ended. */
  readonly wallMs: number;
  /** From the first one's start until each has ended. */
  readonly ends: Spread;
  /** Of all. */
  readonly cpuMs: number;
  /** Of the machine, beyond what was in use before. */
  readonly memoryMb: number;
  readonly api: ApiActivity;
  readonly failures: readonly string[];
}

/** Attaches so many pods at once, then detaches them. */
export async function runStorm(
  run: AttachmentRun,
  count: number,
  { node, memory }: { node: BenchNode; memory: MemoryWatch },
): Promise<readonly Storm[]> {
  const storms: Storm[] = [];
  const pods = node.pods.slice(0, count);
  for (const verb of VERBS) {
    const before = await readMetrics(node);
    memory.takePeakMb();
    const { costs, failures } = run.tryTogether(verb, pods);
    const memoryMb = memory.takePeakMb();
    const api = activityBetween(before, await readMetrics(node));
    const ends = spreadOf(costs.map(({ wallMs }) => wallMs));
    storms.push({ count, verb, ...sumOf(costs), ends, memoryMb, api, failures });
    if (failures.length > 0) break; // what was not attached cannot be detached
  }
  return storms;
}

async function readMetrics({ cluster }: Pick<BenchNode, 'cluster'>): Promise<ApiMetrics> {
  return parseApiMetrics(String(await cluster.admin.get('/metrics')));
}

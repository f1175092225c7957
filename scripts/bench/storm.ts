import { activityBetween, parseApiMetrics, type ApiActivity, type ApiMetrics } from './api-metrics.ts';
import type { AttachmentRun, Verb } from './attachment-run.ts';
import type { BenchNode } from './bench-node.ts';
import { VERBS, sumOf } from './comparison.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** Many commands at once, and their cost. */
export interface Storm {
  readonly count: number;
  readonly verb: Verb;
  /** From the start of the first to the end of the last. */
  readonly wallMs: number;
  /** From the start of the first to the end of each. */
  readonly ends: Spread;
  /** The sum of all. */
  readonly cpuMs: number;
  /** What the whole machine used in addition to before. */
  readonly memoryMb: number;
  readonly api: ApiActivity;
  readonly failures: readonly string[];
}

/** Attaches `count` pods at once, then detaches them at once. */
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
    if (failures.length > 0) break; // a pod that is not attached cannot be detached
  }
  return storms;
}

async function readMetrics({ cluster }: Pick<BenchNode, 'cluster'>): Promise<ApiMetrics> {
  return parseApiMetrics(String(await cluster.admin.get('/metrics')));
}

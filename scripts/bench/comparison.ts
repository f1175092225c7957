import type { AttachmentRun, Verb } from './attachment-run.ts';
import type { BenchNode } from './bench-node.ts';
import type { ProcessCost } from './process-meter.ts';
import { percentile, rotate } from './statistics.ts';

/** The measured costs of one command of one plugin. */
export interface Series {
  readonly name: string;
  readonly verb: Verb;
  /** The cost of each run when it ran alone. */
  readonly alone: readonly ProcessCost[];
  /** Peak resident memory of the plugin or its delegate, whichever is larger. */
  readonly peakKb: number;
  readonly apiRequests: number;
  /** The cost of each round of many runs at once. */
  readonly together: readonly TogetherCost[];
}

export interface TogetherCost {
  /** From the start of the first to the end of the last. */
  readonly wallMs: number;
  /** The sum of all. */
  readonly cpuMs: number;
}

export interface ComparisonOptions {
  readonly warmUpRounds: number;
  readonly rounds: number;
  readonly togetherRounds: number;
  readonly onProgress: (stage: string) => void;
}

/** The commands that a node runs many of at once. */
export const VERBS = ['ADD', 'DEL'] as const;

/**
 * Measures plugins side by side: in each round, every plugin attaches and detaches the same pod. Each round starts with
 * another plugin, so that other load on the machine affects all of them alike.
 */
export async function compare(
  runs: readonly AttachmentRun[],
  node: BenchNode,
  options: ComparisonOptions,
): Promise<readonly Series[]> {
  const results = runs.flatMap((run) => run.verbs.map((verb) => startSeries(run, verb)));
  const resultOf = (run: AttachmentRun, verb: Verb) =>
    results.find((result) => result.run === run && result.verb === verb);
  const [pod] = node.pods;
  if (pod === undefined) throw new Error('the node has no pods');

  options.onProgress('warm-up');
  for (let round = 0; round < options.warmUpRounds; round++) {
    for (const run of rotate(runs, round)) for (const verb of run.verbs) run.measure(verb, pod);
  }
  options.onProgress(`${options.rounds} rounds of one at a time`);
  for (let round = 0; round < options.rounds; round++) {
    for (const run of rotate(runs, round)) {
      for (const verb of run.verbs) resultOf(run, verb)?.alone.push(run.measure(verb, pod));
    }
  }
  options.onProgress(`${options.togetherRounds} rounds of ${node.pods.length} at once`);
  for (let round = 0; round < options.togetherRounds; round++) {
    for (const run of rotate(runs, round)) {
      for (const verb of VERBS) resultOf(run, verb)?.together.push(sumOf(run.measureTogether(verb, node.pods)));
    }
  }
  options.onProgress('memory and requests');
  const series: Series[] = [];
  for (const { run, ...result } of results) {
    const peaks: number[] = [];
    for (let round = 0; round < PEAK_ROUNDS; round++) {
      for (const verb of run.verbs) {
        const peakKb = run.measurePeakKb(verb, pod);
        if (verb === result.verb) peaks.push(peakKb);
      }
    }
    series.push({ ...result, peakKb: percentile(peaks, 50), apiRequests: await countRequests(run, result.verb, node) });
  }
  return series;
}

const PEAK_ROUNDS = 5;

function startSeries(run: AttachmentRun, verb: Verb) {
  const alone: ProcessCost[] = [];
  const together: TogetherCost[] = [];
  return { run, name: run.name, verb, alone, together };
}

/** Sums up runs that started together: the longest wall time, and the sum of CPU times. */
export function sumOf(costs: readonly ProcessCost[]): TogetherCost {
  return {
    wallMs: Math.max(...costs.map(({ wallMs }) => wallMs)),
    cpuMs: costs.reduce((total, { cpuMs }) => total + cpuMs, 0),
  };
}

async function countRequests(
  run: AttachmentRun,
  counted: Verb,
  { cluster, pods, userName }: BenchNode,
): Promise<number> {
  const [pod] = pods;
  if (pod === undefined) return 0;
  let count = 0;
  for (const verb of run.verbs) {
    const mark = await cluster.auditMark();
    run.measure(verb, pod);
    if (verb === counted) count = (await cluster.requestsBy(userName, mark)).length;
  }
  return count;
}

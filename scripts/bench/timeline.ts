import type { AttachmentRun, Verb } from './attachment-run.ts';
import type { BenchNode } from './bench-node.ts';
import { VERBS } from './comparison.ts';
import { percentile } from './statistics.ts';
import { medianTrace, parseTrace, type TracedStep } from './trace.ts';

/** Shows where the time of one command goes. */
export interface Timeline {
  readonly verb: Verb;
  readonly steps: readonly TracedStep[];
  /** The median of the traced runs. */
  readonly wallMs: number;
}

/**
 * Traces ADD and DEL of one plugin with PODWIRE_TRACE=1, one command at a time.
 *
 * @throws {Error} if the plugin prints no trace
 */
export function traceCommands(run: AttachmentRun, { pods }: BenchNode, rounds: number): readonly Timeline[] {
  const [pod] = pods;
  if (pod === undefined) throw new Error('the node has no pods');
  const measured = VERBS.map(startMeasurement);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const { verb, traces, wallTimesMs } of measured) {
      const { stderr, cost } = run.trace(verb, pod);
      if (round < 0) continue;
      traces.push(parseTrace(stderr));
      wallTimesMs.push(cost.wallMs);
    }
  }
  return measured.map(({ verb, traces, wallTimesMs }) => {
    const steps = medianTrace(traces);
    const [first] = steps;
    if (first === undefined) {
      throw new Error(`${run.name} prints no trace for ${verb}, although PODWIRE_TRACE=1 is set`);
    }
    const start = { label: 'Node starts, code is loaded', beginMs: 0, endMs: first.beginMs };
    return { verb, steps: [start, ...steps], wallMs: percentile(wallTimesMs, 50) };
  });
}

// They fill the caches of the file system and of the API server.
const WARM_UP_ROUNDS = 3;

function startMeasurement(verb: Verb) {
  const traces: (readonly TracedStep[])[] = [];
  const wallTimesMs: number[] = [];
  return { verb, traces, wallTimesMs };
}

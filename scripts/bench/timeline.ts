import type { AttachmentRun, Verb } from './attachment-run.ts';
import type { BenchNode } from './bench-node.ts';
import { VERBS } from './comparison.ts';
import { percentile } from './statistics.ts';
import { medianTrace, parseTrace, type TracedStep } from './trace.ts';

/** Where the time of one command goes. */
export interface Timeline {
  readonly verb: Verb;
  readonly steps: readonly TracedStep[];
  /** Of the runs that were traced. */
  readonly wallMs: number;
}

/**
 * Runs one plugin with PODWIRE_TRACE=1, one at a time.
 *
 * @throws {Error} if it prints no trace
 */
export function traceCommands(run: AttachmentRun, { pods }: BenchNode, rounds: number): readonly Timeline[] {
  const [pod] = pods;
  if (pod === undefined) throw new Error('the node has no pods');
  const found = VERBS.map((verb) => startTraces(verb));
  // The first few fill caches: of the file system, of the API server.
  for (let round = -3; round < rounds; round++) {
    for (const { verb, traces, walls } of found) {
      const { stderr, cost } = run.trace(verb, pod);
      if (round < 0) continue;
      traces.push(parseTrace(stderr));
      walls.push(cost.wallMs);
    }
  }
  return found.map(({ verb, traces, walls }) => {
    const steps = medianTrace(traces);
    const [first] = steps;
    if (first === undefined) throw new Error(`${run.name} prints no trace for ${verb}: it wants PODWIRE_TRACE=1`);
    const start = { label: 'Node starts, code is loaded', beginMs: 0, endMs: first.beginMs };
    return { verb, steps: [start, ...steps], wallMs: percentile(walls, 50) };
  });
}

function startTraces(verb: Verb) {
  const [traces, walls]: [(readonly TracedStep[])[], number[]] = [[], []];
  return { verb, traces, walls };
}

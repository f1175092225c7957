/**
 * One step of a command, in milliseconds since the start of the process. A mere moment begins and ends at the same
 * time.
 */
export interface TracedStep {
  readonly label: string;
  readonly beginMs: number;
  readonly endMs: number;
}

interface TraceLine {
  readonly atMs: number;
  readonly label: string;
}

/**
 * Parses the steps from what podwire prints on stderr with PODWIRE_TRACE=1: lines `trace 12.345 label`, where `begin
 * label` and `end label` are the two ends of one step. All other lines are its log and are ignored.
 */
export function parseTrace(stderr: string): readonly TracedStep[] {
  const steps: TracedStep[] = [];
  const begun: TraceLine[] = [];
  for (const { atMs, label } of parseLines(stderr)) {
    const [, edge, name = label] = /^(begin|end) (.+)$/.exec(label) ?? [];
    if (edge === 'begin') begun.push({ atMs, label: name });
    else if (edge === 'end') {
      // The first of that name: overlapping calls of one kind end in the order in which they began.
      const index = begun.findIndex((line) => line.label === name);
      const [start] = index < 0 ? [] : begun.splice(index, 1);
      if (start !== undefined) steps.push({ label: name, beginMs: start.atMs, endMs: atMs });
    } else steps.push({ label, beginMs: atMs, endMs: atMs });
  }
  return steps.toSorted((left, right) => left.beginMs - right.beginMs || left.endMs - right.endMs);
}

function parseLines(stderr: string): readonly TraceLine[] {
  return stderr.split('\n').flatMap((line) => {
    const [, at, label] = /^trace (\d+(?:\.\d+)?) (.+)$/.exec(line) ?? [];
    return at === undefined || label === undefined ? [] : [{ atMs: Number(at), label }];
  });
}

/**
 * Combines runs to a typical one: the nth step of a name in all runs becomes one step, with the median of their begins
 * and of their lengths. A step that fewer than half of the runs have (a retry) is left out.
 */
export function medianTrace(runs: readonly (readonly TracedStep[])[]): readonly TracedStep[] {
  const groups = new Map<string, TracedStep[]>();
  for (const steps of runs) {
    const counts = new Map<string, number>();
    for (const step of steps) {
      const count = (counts.get(step.label) ?? 0) + 1;
      counts.set(step.label, count);
      const key = `${step.label}\n${count}`;
      groups.set(key, [...(groups.get(key) ?? []), step]);
    }
  }
  const typical = [...groups.values()].filter((steps) => steps.length * 2 > runs.length).flatMap(medianStep);
  return typical.toSorted((left, right) => left.beginMs - right.beginMs || right.endMs - left.endMs);
}

function medianStep(steps: readonly TracedStep[]): readonly TracedStep[] {
  const [first] = steps;
  if (first === undefined) return [];
  const beginMs = median(steps.map((step) => step.beginMs));
  const endMs = beginMs + median(steps.map((step) => step.endMs - step.beginMs));
  return [{ label: first.label, beginMs, endMs }];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

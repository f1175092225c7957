import { readFileSync } from 'node:fs';

/** A process id, and what tells its bearer from a later one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the boot and its start: field 22 of /proc/<pid>/stat. */
  readonly startTicks: string;
}

/** This process, as records name it. */
export function ownIdentity(): ProcessIdentity {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return { pid: Number(stat.slice(0, stat.indexOf(' '))), startTicks: startTicksOf(stat) };
}

/** True while the process runs; a later one with its number is another, and one that waits for its parent has ended. */
export function isRunning({ pid, startTicks }: ProcessIdentity): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return startTicksOf(stat) === startTicks && stateOf(stat) !== 'Z';
  } catch {
    return false;
  }
}

function stateOf(stat: string): string | undefined {
  return stat[stat.lastIndexOf(')') + 2];
}

// Field 22. The second one is the program's name, which may hold blanks and parentheses.
function startTicksOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

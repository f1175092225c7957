import { readFileSync } from 'node:fs';

/** A process id, and what distinguishes its process from a later one with the same id. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot to the start of the process: field 22 of /proc/<pid>/stat. */
  readonly startTicks: string;
}

let own: ProcessIdentity | undefined;

/** The identity of this process, which is read once. */
export function ownIdentity(): ProcessIdentity {
  return (own ??= readOwnIdentity());
}

function readOwnIdentity(): ProcessIdentity {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return { pid: Number(stat.slice(0, stat.indexOf(' '))), startTicks: startTicksOf(stat) };
}

/** True while the process runs. A later process with its id is a different one, and a zombie has ended. */
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

// Field 22. Field 2 is the program's name, which may contain blanks and parentheses.
function startTicksOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

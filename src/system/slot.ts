import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { errnoOf } from './error-text.ts';
import { monotonicMs } from './monotonic-clock.ts';
import { makeFolders } from './files.ts';
import { isRunning, ownIdentity } from './process-identity.ts';

/** Leave to work while few others do. Given back when disposed of, or when the process ends in whatever way. */
export type Slot = Disposable;

/** What a test replaces. */
export interface SlotOptions {
  readonly folder?: string;
  /** How many may work at once. */
  readonly places?: number;
  /** Stands still for so long. */
  readonly pause?: (pauseMs: number) => void;
}

/** Gone after a reboot, as those who held one. */
const SLOT_FOLDER = '/run/podwire/turns';

/**
 * Waits until fewer than four commands a core are at work on this node.
 *
 * 300 at once share two cores, and with them the API server's answer to each comes after the budget for it has run out. So they queue here,
 * where no budget runs yet, and each then has its answers as fast as one alone.
 *
 * A place is a symbolic link to its holder's process: made and read in one system call each. It is a courtesy, never an error: without a
 * folder to write to, after {@link MOST_WAIT_MS}, or where a holder waits for something else for longer than {@link HOLD_MS} (an API
 * server that stalls, an agent's policy), the next one goes ahead.
 *
 * It stands still rather than awaits: there is nothing to undo yet, and a signal may end the process.
 */
export function acquireSlot({
  folder = SLOT_FOLDER,
  places = PLACES_PER_CORE * availableParallelism(),
  pause = standStill,
}: SlotOptions = {}): Slot {
  const { pid, startTicks } = ownIdentity();
  const endsAtMs = monotonicMs() + MAX_WAIT_MS;
  const pathOf = (place: number): string => `${folder}/${place % places}`;
  let pauseMs = MIN_PAUSE_MS;
  for (let round = 0; ; round++) {
    // Not all begin at the same place.
    for (let index = 0; index < places; index++) {
      const path = pathOf(pid + index);
      const outcome = take(path, `${pid} ${startTicks}`);
      if (outcome === 'ours') return heldSlot(path);
      if (outcome === 'impossible') return NO_SLOT;
    }
    if (monotonicMs() > endsAtMs) return NO_SLOT;
    // Reading who holds them takes longer than waiting for one that is given back.
    if (round % 8 === 1) for (let place = 0; place < places; place++) freeIfAbandoned(pathOf(place));
    pause(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
  }
}

const NO_SLOT: Slot = { [Symbol.dispose]: () => undefined };
const PLACES_PER_CORE = 4;
const MAX_WAIT_MS = 60_000;
const HOLD_MS = 1000;
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 150;

/** `impossible`: nobody can take a place there, and nobody is to wait. */
function take(path: string, holder: string): 'ours' | 'taken' | 'impossible' {
  try {
    symlinkSync(holder, path);
    return 'ours';
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return 'taken';
    return code === 'ENOENT' && hasMadeFolder(dirname(path)) ? take(path, holder) : 'impossible';
  }
}

function hasMadeFolder(path: string): boolean {
  try {
    makeFolders(path);
    return true;
  } catch {
    return false;
  }
}

function heldSlot(path: string): Slot {
  let isHeld = true;
  const releaseSlot = (): void => {
    if (isHeld) remove(path);
    isHeld = false;
    clearTimeout(timer);
  };
  const timer = setTimeout(releaseSlot, HOLD_MS);
  timer.unref();
  return { [Symbol.dispose]: releaseSlot };
}

// Two may find the same holder gone, and the second one frees the place of the first one: then one more than wanted is at work.
function freeIfAbandoned(path: string): void {
  try {
    const [pid, startTicks = ''] = readlinkSync(path).split(' ');
    if (!isRunning({ pid: Number(pid), startTicks })) remove(path);
  } catch {
    // It was given back meanwhile.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or /run is read-only by now.
  }
}

function standStill(pauseMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
}

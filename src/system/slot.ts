import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { cpuCount } from './cpu-count.ts';
import { errnoOf } from './error-text.ts';
import { makeFolders } from './files.ts';
import { monotonicMs } from './monotonic-clock.ts';
import { isRunning, ownIdentity } from './process-identity.ts';

/** Limits how many commands run at once. Released when it is disposed of, or when the process ends in whatever way. */
export type Slot = Disposable;

/** What tests replace. */
export interface SlotOptions {
  readonly folder?: string;
  /** How many commands may run at once. */
  readonly slotCount?: number;
  /** Blocks the thread for that long. */
  readonly pause?: (pauseMs: number) => void;
}

/** Emptied by a reboot, which also ends every holder. */
const SLOT_FOLDER = '/run/podwire/turns';

/**
 * Waits until fewer than four commands per core run on this node.
 *
 * 300 commands at once would share two cores, and with them the API server's responses would arrive after the budgets
 * for them have expired. So commands queue here, where no budget has started, and each then gets its responses as fast
 * as a single command would.
 *
 * A slot is a symbolic link that names the process of its holder: it is created and read with one system call each. It
 * is advisory and never an error: the next command continues without a slot if the folder is not writable, after {@link
 * MAX_WAIT_MS}, or if a holder waits for something else for longer than {@link HOLD_MS} (an API server that stalls, an
 * agent's policy).
 *
 * Blocks the thread instead of awaiting: there is nothing to undo yet, and a signal may end the process.
 */
export function acquireSlot({
  folder = SLOT_FOLDER,
  slotCount = SLOTS_PER_CORE * cpuCount(),
  pause = blockThread,
}: SlotOptions = {}): Slot {
  const { pid, startTicks } = ownIdentity();
  const endsAtMs = monotonicMs() + MAX_WAIT_MS;
  const pathOf = (slot: number): string => `${folder}/${slot % slotCount}`;
  let pauseMs = MIN_PAUSE_MS;
  for (let round = 0; ; round++) {
    // Different processes start at different slots.
    for (let index = 0; index < slotCount; index++) {
      const path = pathOf(pid + index);
      const outcome = tryAcquire(path, `${pid} ${startTicks}`);
      if (outcome === 'acquired') return heldSlot(path);
      if (outcome === 'impossible') return NO_SLOT;
    }
    if (monotonicMs() > endsAtMs) return NO_SLOT;
    // Not in every round: reading the holders takes longer than waiting for a slot to be released.
    if (round % 8 === 1) for (let slot = 0; slot < slotCount; slot++) releaseIfAbandoned(pathOf(slot));
    pause(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS);
  }
}

const NO_SLOT: Slot = { [Symbol.dispose]: () => undefined };
const SLOTS_PER_CORE = 4;
const MAX_WAIT_MS = 60_000;
const HOLD_MS = 1000;
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 150;

/** `impossible`: no process can create slots there, so none should wait. */
function tryAcquire(path: string, holder: string): 'acquired' | 'taken' | 'impossible' {
  try {
    symlinkSync(holder, path);
    return 'acquired';
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return 'taken';
    return code === 'ENOENT' && hasMadeFolder(dirname(path)) ? tryAcquire(path, holder) : 'impossible';
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
  const release = (): void => {
    if (isHeld) remove(path);
    isHeld = false;
    clearTimeout(timer);
  };
  const timer = setTimeout(release, HOLD_MS);
  timer.unref();
  return { [Symbol.dispose]: release };
}

// Two processes may find the same abandoned slot, and the second may release it after another process has acquired it:
// then one command more than the limit runs.
function releaseIfAbandoned(path: string): void {
  try {
    const [pid, startTicks = ''] = readlinkSync(path).split(' ');
    if (!isRunning({ pid: Number(pid), startTicks })) remove(path);
  } catch {
    // It has been released meanwhile.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It has been removed, or /run has become read-only.
  }
}

function blockThread(pauseMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
}

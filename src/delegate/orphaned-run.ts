import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { kill as killProcess } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttachmentId } from '../cni/attachment-id.ts';

/**
 * Ends the IPAM plugin that an ADD of this attachment has left running when it was killed, and waits until it is gone: it would allocate
 * after the release that follows, for nobody.
 *
 * It is known by its name and by what its environment says. Only for an ADD of which it is certain that it no longer runs.
 */
export async function endOrphanedRun(type: string, { containerId, interfaceName }: AttachmentId): Promise<void> {
  const wanted = [`CNI_CONTAINERID=${containerId}`, `CNI_IFNAME=${interfaceName}`, 'CNI_COMMAND=ADD'];
  const isOrphan = (pid: string): boolean =>
    readList(`/proc/${pid}/cmdline`).some((word) => basename(word) === type) &&
    hasAll(readList(`/proc/${pid}/environ`), wanted);
  const orphans = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOrphan(name));
  for (const pid of orphans) kill(Number(pid));
  for (let round = 0; round < MAX_ROUNDS && orphans.some(isOrphan); round++) await pause(1);
}

// One that waits for a disk ends when that answers; until then it allocates nothing either.
const MAX_ROUNDS = 1000;

function readList(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\0');
  } catch {
    return []; // it has ended
  }
}

function hasAll(list: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((item) => list.includes(item));
}

function kill(pid: number): void {
  try {
    killProcess(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { kill as killProcess } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttachmentId } from '../cni/attachment-id.ts';

/**
 * Ends the IPAM plugin that a killed ADD of this attachment has left running, and waits until it has ended: otherwise
 * it could allocate an address after the release that follows, and nothing would ever release that address.
 *
 * The process is recognized by its program's name and by its environment. The caller must know that the ADD no longer
 * runs.
 */
export async function endOrphanedRun(type: string, { containerId, interfaceName }: AttachmentId): Promise<void> {
  const expected = [`CNI_CONTAINERID=${containerId}`, `CNI_IFNAME=${interfaceName}`, 'CNI_COMMAND=ADD'];
  const isOrphan = (pid: string): boolean =>
    readList(`/proc/${pid}/cmdline`).some((argument) => basename(argument) === type) &&
    hasAll(readList(`/proc/${pid}/environ`), expected);
  const orphans = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOrphan(name));
  for (const pid of orphans) kill(Number(pid));
  for (let round = 0; round < MAX_ROUNDS && orphans.some(isOrphan); round++) await pause(1);
}

// A process that waits for a disk ends when the disk answers, and allocates nothing until then.
const MAX_ROUNDS = 1000;

function readList(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\0');
  } catch {
    return []; // the process has ended
  }
}

function hasAll(list: readonly string[], expected: readonly string[]): boolean {
  return expected.every((item) => list.includes(item));
}

function kill(pid: number): void {
  try {
    killProcess(pid, 'SIGKILL');
  } catch {
    // The process has ended.
  }
}

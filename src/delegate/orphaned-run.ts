import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pause } from '../system/pause.ts';
import type { AttachmentId } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';

/**
 * Kills a process by a descriptor of its folder in /proc. It cannot hit a later process with the same id.
 *
 * @returns `impossible`: the kernel does not let this process do it, for instance because the other one is in a PID namespace outside of ours
 */
export type KillProcess = (processFd: number) => 'killed' | 'impossible';

/**
 * Ends the IPAM plugin that a killed ADD of this attachment has left running, and waits until it has ended: otherwise
 * it could allocate an address after the release that follows, and nothing would ever release that address.
 *
 * The process is recognized by its program's name and by its environment. Both are read, and the signal is sent, through one descriptor: /proc
 * may show a PID namespace whose numbers are not ours, and a number can be used again. The caller must know that the ADD no longer runs.
 *
 * @throws {CniError} tryAgainLater if the process can only be waited for and has not ended
 */
export async function endOrphanedRun(type: string, id: AttachmentId, killProcess: KillProcess): Promise<void> {
  const isOrphan = (folder: string): boolean => isRunOf(folder, type, id);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOrphan(`/proc/${name}`));
  for (const pid of pids) {
    const processFd = openIfRunning(`/proc/${pid}`);
    if (processFd === undefined) continue;
    try {
      const folder = `/proc/self/fd/${processFd}`;
      if (!isOrphan(folder)) continue; // the number has become another process's
      const outcome = killProcess(processFd);
      for (let round = 0; round < MAX_ROUNDS && isOrphan(folder); round++) await pause(1);
      if (outcome === 'impossible' && isOrphan(folder)) throw stillRunningError(type, pid);
    } finally {
      closeSync(processFd);
    }
  }
}

// A process that was killed while it waits for a disk ends when the disk answers, and allocates nothing until then.
const MAX_ROUNDS = 1000;

function isRunOf(folder: string, type: string, { containerId, interfaceName }: AttachmentId): boolean {
  const expected = [`CNI_CONTAINERID=${containerId}`, `CNI_IFNAME=${interfaceName}`, 'CNI_COMMAND=ADD'];
  return (
    readList(`${folder}/cmdline`).some((argument) => basename(argument) === type) &&
    hasAll(readList(`${folder}/environ`), expected)
  );
}

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

function openIfRunning(folder: string): number | undefined {
  try {
    return openSync(folder, 'r');
  } catch {
    return undefined; // the process has ended
  }
}

function stillRunningError(type: string, pid: string): CniError {
  return new CniError(
    ERROR_CODE.tryAgainLater,
    `the IPAM plugin ${type} of a killed ADD is still running (process ${pid}) and cannot be ended from here; ` +
      'wait until it ends, or end it on the node',
  );
}

import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../system/pause.ts';
import { isCniName, isInterfaceName } from '../cni/attachment-id.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { isJsonObject } from '../json/json.ts';
import { ADDRESS } from '../json/shapes.ts';
import type { Delegation } from '../plan/delegation.ts';
import { openFileIfExists, readNames, readText, removeFile } from '../system/files.ts';

/** A lease of host-local: a file that is named by its address, and contains the container's id and the interface's name. */
export interface LeaseFile {
  readonly path: string;
  readonly address: IpAddress;
  /** `undefined` for a damaged file: a power failure, or a host-local that was killed, leaves it empty or incomplete. */
  readonly containerId: string | undefined;
  readonly text: string;
}

/** Locks a file for this process as flock(2) does. False if another process has locked it. */
export type TryLock = (fd: number) => boolean;

/** The folder of host-local's leases, `undefined` for another IPAM plugin. */
export function leaseFolder({ type, config: { ipam, name } }: Delegation): string | undefined {
  if (type !== 'host-local' || typeof name !== 'string' || !isCniName(name)) return undefined;
  const dataDir = isJsonObject(ipam) ? ipam['dataDir'] : undefined;
  return join(typeof dataDir === 'string' && dataDir !== '' ? dataDir : '/var/lib/cni/networks', name);
}

/** The leases in a folder, in any order. */
export function readLeases(folder: string): readonly LeaseFile[] {
  return readNames(folder).flatMap((name) => {
    const address = ADDRESS.parse(name);
    const path = join(folder, name);
    const text = address === undefined ? undefined : readText(path);
    return address === undefined || text === undefined ? [] : [{ path, address, containerId: ownerOf(text), text }];
  });
}

/**
 * Removes leases while host-local has to wait: it does not allocate or release meanwhile.
 *
 * @param choose decides about each lease
 * @returns those that were removed
 * @throws {CniError} tryAgainLater if host-local keeps its lock; an errno of node:fs
 */
export async function removeLeases(
  folder: string,
  choose: (lease: LeaseFile) => Promise<boolean>,
  tryLock: TryLock,
): Promise<readonly LeaseFile[]> {
  const fd = openFileIfExists(join(folder, 'lock'));
  if (fd === undefined) return []; // host-local has never allocated here
  try {
    await lock(fd, folder, tryLock);
    const removed: LeaseFile[] = [];
    for (const lease of readLeases(folder)) {
      if (!(await choose(lease))) continue;
      removeFile(lease.path);
      removed.push(lease);
    }
    return removed;
  } finally {
    closeSync(fd); // which releases the lock
  }
}

// host-local writes a line break of Windows; versions before 0.8 wrote the id alone.
function ownerOf(text: string): string | undefined {
  const [containerId = '', interfaceName = '', ...rest] = text.trim().split(/\r?\n/);
  const isWhole = isCniName(containerId) && isInterfaceName(interfaceName) && rest.length === 0;
  return isWhole ? containerId : undefined;
}

async function lock(fd: number, folder: string, tryLock: TryLock): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (tryLock(fd)) return;
    await pause(ROUND_MS);
  }
  throw new CniError(
    ERROR_CODE.tryAgainLater,
    `the lock ${join(folder, 'lock')} was not released within ${(MAX_ROUNDS * ROUND_MS) / 1000} s; find its holder with fuser`,
  );
}

const MAX_ROUNDS = 200;
const ROUND_MS = 10;

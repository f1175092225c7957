import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the executable keeps its journal; the private namespace has a /var/lib of its own. */
export const JOURNAL = '/var/lib/podwire';

/** The records of a network, by file name, temporary files included: none is what an attachment leaves. */
export async function recordNames(network: string): Promise<readonly string[]> {
  const names = await readdir(join(JOURNAL, network)).catch(() => []);
  return names.filter((name) => name !== 'swept-boot').toSorted();
}

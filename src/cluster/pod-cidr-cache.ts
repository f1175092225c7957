import { join } from 'node:path';
import { formatCidr } from '../address/cidr.ts';
import { openReader, type JsonSource } from '../json/json-reader.ts';
import { CIDR, NON_EMPTY_STRING } from '../json/shapes.ts';
import type { PodCidrSource } from '../plan/delegation.ts';
import { readText, replaceFile } from '../system/files.ts';

/**
 * The podCIDRs that the last ADD of this boot saw. They only say what to prepare while the API server is asked. Every caller
 * compares them with the Node afterwards.
 */
export interface PodCidrCache {
  read(): PodCidrSource | undefined;
  /** Never fails: if the file cannot be written, the next ADD prepares nothing, or the wrong thing. */
  write(podCidrs: PodCidrSource): void;
}

/** A reboot empties this folder. */
const CACHE_FOLDER = '/run/podwire';

/** Opens the cache of a network. */
export function openPodCidrCache(network: string, folder = CACHE_FOLDER): PodCidrCache {
  const path = join(folder, `${network}.pod-cidrs.json`);
  return {
    read: () => parse(readText(path)),
    write(podCidrs) {
      const text = format(podCidrs);
      try {
        if (readText(path) !== text) replaceFile(path, text);
      } catch {
        // A full /run.
      }
    },
  };
}

function format({ nodeName, podCidrs }: PodCidrSource): string {
  return JSON.stringify({ nodeName, podCidrs: podCidrs.map(formatCidr) });
}

function parse(text: string | undefined): PodCidrSource | undefined {
  if (text === undefined) return undefined;
  try {
    const reader = openReader(JSON.parse(text), SOURCE);
    return { nodeName: reader.require('nodeName', NON_EMPTY_STRING), podCidrs: reader.readList('podCidrs', CIDR) };
  } catch {
    return undefined; // damaged, so that there is nothing to prepare
  }
}

const SOURCE: JsonSource = { quotesValues: false, error: (message) => new Error(message) };

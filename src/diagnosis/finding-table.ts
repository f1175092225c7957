import { ACCESS_FINDINGS } from './access-findings.ts';
import { CLUSTER_FINDINGS } from './cluster-findings.ts';
import type { FindingDescription } from './finding-description.ts';
import { NETWORK_FINDINGS } from './network-findings.ts';

/**
 * Every finding. A number never changes its meaning and is never used again: it is in messages, scripts and web searches.
 * The hundreds are the subject: 1 the runtime and its plugins, 2 the API server, 3 addresses, 4 permissions, 5 the
 * node's network, 6 attachments, 7 the policy agent, 8 traffic between nodes, 9 objects of the cluster.
 */
export const FINDINGS = { ...ACCESS_FINDINGS, ...NETWORK_FINDINGS, ...CLUSTER_FINDINGS } as const;

/** A number of the table. */
export type KnownFinding = keyof typeof FINDINGS;

/** The description of a number, `undefined` for an unknown number. */
export function findDescription(number: string): FindingDescription | undefined {
  return isKnownFinding(number) ? FINDINGS[number] : undefined;
}

/** True for a number of the table. */
export function isKnownFinding(number: string): number is KnownFinding {
  return Object.hasOwn(FINDINGS, number);
}

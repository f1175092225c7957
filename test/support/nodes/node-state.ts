import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { memberText } from '../../lab/member.ts';

/** Where the executable keeps the journals of all networks. */
export const JOURNAL = '/var/lib/podwire';

/**
 * What attachments leave on a node and in the API, each a sorted list of lines: interfaces of the host (index, name, alias), routes of the
 * host in all tables, leases of host-local (file and owner), files of the journal, pods with annotations of interest.
 */
export type NodeState = Readonly<Record<'links' | 'routes' | 'leases' | 'records' | 'endpoints', readonly string[]>>;

/** Where a node's state is. */
export interface NodePlaces {
  /** The data folder of host-local. */
  readonly dataDir: string;
  /** The journal of one network. */
  readonly journal: string;
  readonly endpoints: () => Promise<readonly string[]> | readonly string[];
  /** Whether a link or a route is one of this node. All are, by default. */
  readonly isOurs?: (line: string) => boolean;
}

/** Reads the state of a node, with programs and files alone: without the code that is tested. */
export async function observeNode({
  dataDir,
  journal,
  endpoints,
  isOurs = () => true,
}: NodePlaces): Promise<NodeState> {
  const host = hostNamespace();
  const [links, v4, v6] = await Promise.all([
    host.ip('link', 'show'),
    host.ip('-4', 'route', 'show', 'table', 'all'),
    host.ip('-6', 'route', 'show', 'table', 'all'),
  ]);
  // The kernel's own routes of a link come and go with its carrier and its first address, which may be a moment later.
  const routes = [...v4, ...v6].filter((route) => memberText(route, 'protocol') !== 'kernel');
  return {
    links: links.map(formatLink).filter(isOurs).toSorted(),
    routes: routes.map(formatRoute).filter(isOurs).toSorted(),
    leases: await readLeases(dataDir),
    records: await recordNames(journal),
    endpoints: (await endpoints()).toSorted(),
  };
}

/** Each lease: its file below the folder, and the container and interface that have it. */
export async function readLeases(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(dataDir, { recursive: true }).catch(() => []);
  const leases = names.filter((name) => /\/[0-9a-f.:]+$/.test(name));
  const owners = await Promise.all(leases.map((name) => readFile(join(dataDir, name), 'utf8')));
  return leases.map((name, index) => `${name} ${owners[index]?.replaceAll(/\s+/g, ' ')}`.trimEnd()).toSorted();
}

/** The files of a network's journal that attachments leave, temporary ones included. */
export async function recordNames(journal: string): Promise<readonly string[]> {
  const names = await readdir(journal).catch(() => []);
  return names.filter((name) => name !== 'swept-boot').toSorted();
}

/** Calico's annotations of a pod have this prefix. */
export const ANNOTATION = 'cni.projectcalico.org/';

/** A line about a pod with annotations; none if there is nothing but an endpoint that was cleared. */
export function formatEndpoint(pod: string, annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  // A cleared endpoint keeps `containerID` beside empty addresses, by which the agent tells it from one not yet attached.
  const isCleared = (annotations[`${ANNOTATION}podIP`] ?? '') === '';
  const kept = Object.entries(annotations).filter(([key]) => !isCleared || !key.startsWith(ANNOTATION));
  return kept.length === 0 ? [] : [`${pod} ${JSON.stringify(Object.fromEntries(kept))}`];
}

function formatLink(link: unknown): string {
  const alias = memberText(link, 'ifalias');
  return `${memberText(link, 'ifindex')} ${memberText(link, 'ifname')}${alias === 'null' ? '' : ` ${alias}`}`;
}

function formatRoute(route: unknown): string {
  return `${memberText(route, 'dst')} dev ${memberText(route, 'dev')}`;
}

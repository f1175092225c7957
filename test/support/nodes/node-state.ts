import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { memberText } from '../../lab/member.ts';

/** The folder in which the executable keeps the journals of all networks. */
export const JOURNAL = '/var/lib/podwire/networks';

/**
 * What attachments leave on a node and in the API, each a sorted list of lines: interfaces of the host (index, name, alias), routes of the
 * host in all tables, leases of host-local (file and owner), files of the journal, pods with annotations of interest.
 */
export type NodeState = Readonly<Record<'links' | 'routes' | 'leases' | 'records' | 'endpoints', readonly string[]>>;

/** The places of a node's state. */
export interface NodePlaces {
  /** The data folder of host-local. */
  readonly dataDir: string;
  /** The journal of one network. */
  readonly journal: string;
  readonly endpoints: () => Promise<readonly string[]> | readonly string[];
  /** True for the line of a link or a route that belongs to this node; by default true for every line. */
  readonly isOurs?: (line: string) => boolean;
}

/** Reads the state of a node from programs and files, without the code that is tested. */
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
  // Routes that the kernel adds automatically appear and disappear with the carrier and the first address of a link,
  // which can be a moment later.
  const routes = [...v4, ...v6].filter((route) => memberText(route, 'protocol') !== 'kernel');
  return {
    links: links.map(formatLink).filter(isOurs).toSorted(),
    routes: routes.map(formatRoute).filter(isOurs).toSorted(),
    leases: await readLeases(dataDir),
    records: await recordNames(journal),
    endpoints: (await endpoints()).toSorted(),
  };
}

/** Reads the leases: the file of each below the folder, and its container and interface. */
export async function readLeases(dataDir: string): Promise<readonly string[]> {
  const names = await readdir(dataDir, { recursive: true }).catch(() => []);
  const leases = names.filter((name) => /\/[0-9a-f.:]+$/.test(name));
  const owners = await Promise.all(leases.map((name) => readFile(join(dataDir, name), 'utf8')));
  return leases.map((name, index) => `${name} ${owners[index]?.replaceAll(/\s+/g, ' ')}`.trimEnd()).toSorted();
}

/** The files in a network's journal, temporary ones included. */
export async function recordNames(journal: string): Promise<readonly string[]> {
  const names = await readdir(journal).catch(() => []);
  return names.filter((name) => name !== 'swept-boot').toSorted();
}

/** Calico's annotations of a pod have this prefix. */
export const ANNOTATION = 'cni.projectcalico.org/';

/** Describes the annotations of a pod in one line; no line for a pod without an endpoint, or with a cleared one. */
export function formatEndpoint(pod: string, annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  // A cleared endpoint keeps `containerID` next to empty addresses, so that the agent can distinguish it from a pod
  // that is not attached yet.
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

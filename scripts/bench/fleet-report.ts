import type { FleetLoad } from './fleet.ts';
import { formatMs } from './statistics.ts';
import { formatMarkdownTable, type Table } from '../command-line/text-table.ts';

/** A row for each rate. */
export function fleetTable(loads: readonly FleetLoad[]): Table {
  const head = [
    'ADDs and DELs per second',
    'commands',
    'requests',
    'API share p50',
    'p99',
    'answer, mean',
    'answer, p99 below',
    'server CPU each',
    'server cores',
    'turned away',
    'failed',
  ];
  const rows = loads.map(({ commandsPerSecond, commands, commandMs, api, failures }) => [
    commandsPerSecond.toFixed(0),
    String(commands),
    String(api.requests),
    `${formatMs(commandMs.p50)} ms`,
    `${formatMs(commandMs.p99)} ms`,
    `${formatMs(api.meanMs)} ms`,
    Number.isFinite(api.p99AtMostMs) ? `${api.p99AtMostMs.toFixed(0)} ms` : 'a minute',
    `${formatMs(api.cpuMs / commands)} ms`,
    ((api.cpuMs / commands / 1000) * commandsPerSecond).toFixed(2),
    String(api.rejected),
    String(failures.length),
  ]);
  return { head, rows };
}

/** The page of docs/benchmarks/. */
export function formatFleetPage(machine: string, nodeCount: number, loads: readonly FleetLoad[]): string {
  return `# One API server, ${nodeCount} nodes

Written by \`npm run bench:scale -- --nodes ${nodeCount}\`. ${machine}, which the API server, etcd and those who ask share.

${nodeCount} Nodes and as many Pods in a real kube-apiserver and etcd. ADDs and DELs come from one node after the other at an even rate, half of
each, and do not wait for each other; each asks with podwire's own code over a new TLS connection, with a service account's token.
Nothing is attached: this is the API's share alone. 83 per second is what 150,000 pods make that live an hour each.

${formatMarkdownTable(fleetTable(loads))}
`;
}

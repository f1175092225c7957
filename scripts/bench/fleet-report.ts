import type { FleetLoad } from './fleet.ts';
import { formatMs } from './statistics.ts';
import { formatMarkdownTable, type Table } from '../command-line/text-table.ts';

/** Makes a table with a row for each rate. */
export function fleetTable(loads: readonly FleetLoad[]): Table {
  const head = [
    'ADDs and DELs per second',
    'commands',
    'requests',
    'API time p50',
    'p99',
    'response time, mean',
    'response time, p99 below',
    'server CPU each',
    'server cores',
    'rejected',
    'failed',
  ];
  const rows = loads.map(({ commandsPerSecond, commands, commandMs, api, failures }) => [
    commandsPerSecond.toFixed(0),
    String(commands),
    String(api.requests),
    `${formatMs(commandMs.p50)} ms`,
    `${formatMs(commandMs.p99)} ms`,
    `${formatMs(api.meanMs)} ms`,
    Number.isFinite(api.p99AtMostMs) ? `${api.p99AtMostMs.toFixed(0)} ms` : 'over 60 s',
    `${formatMs(api.cpuMs / commands)} ms`,
    ((api.cpuMs / commands / 1000) * commandsPerSecond).toFixed(2),
    String(api.rejected),
    String(failures.length),
  ]);
  return { head, rows };
}

/** Formats the page of docs/benchmarks/. */
export function formatFleetPage(machine: string, nodeCount: number, loads: readonly FleetLoad[]): string {
  return `# One API server, ${nodeCount} nodes

Written by \`npm run bench:scale -- --nodes ${nodeCount}\`. ${machine}, shared by the API server, etcd and the clients.

A real kube-apiserver with etcd has ${nodeCount} Nodes and as many Pods. ADDs and DELs, half of each, come from one node after the other at an even
rate, and do not wait for each other. Each makes its requests with podwire's own code over a new TLS connection, with a service account's
token. Nothing is attached: this measures the API's part alone. 150,000 pods that live for an hour each make 83 commands per second.

${formatMarkdownTable(fleetTable(loads))}
`;
}

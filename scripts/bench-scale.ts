// npm run bench:scale: runs many ADDs, then many DELs, at once on one node; with --nodes, measures the requests of a
// whole cluster to one API server. Everything runs on loopback and is removed at the end.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openAttachmentRun } from './bench/attachment-run.ts';
import { openBenchNode } from './bench/bench-node.ts';
import { fleetTable, formatFleetPage } from './bench/fleet-report.ts';
import { type FleetLoad, loadFleet, openFleet } from './bench/fleet.ts';
import { describeMachine } from './bench/machine.ts';
import { openMemoryWatch } from './bench/memory-watch.ts';
import { isInPrivateNamespace, preparedIn, runPrepared } from './bench/prepared-programs.ts';
import { openProcessMeter } from './bench/process-meter.ts';
import { drawStorms, formatStormPage, stormTable } from './bench/storm-report.ts';
import { runStorm, type Storm } from './bench/storm.ts';
import { runScript } from './command-line/run-script.ts';
import { formatTextTable, type Table } from './command-line/text-table.ts';
import { parseWholeNumber } from './command-line/whole-number.ts';

const USAGE = `usage: npm run bench:scale -- [options]

Measures many ADDs, then many DELs, at once on one node, and writes storm.md and storm.svg.
  --counts LIST    how many at once, 1 to 500 each (1,10,50,100,200)
  --podwire PATH   use this executable instead of building one
  --nodes N        instead: measure one API server with N Nodes, up to 5000, on which pods start and end at an even
                   rate, and write fleet.md
  --rates LIST     commands per second of all these nodes together, 1 to 200 each (10,40,83); 150,000 pods that live
                   for an hour each make 83
  --seconds N      how long to measure each rate, up to 60 (15)
  --output FOLDER  write the page and the drawing there (docs/benchmarks)
`;

const WARM_UP_ROUNDS = 5;

interface FleetOptions {
  readonly nodeCount: number;
  readonly rates: readonly number[];
  readonly seconds: number;
}

await runScript(
  {
    name: 'bench:scale',
    usage: USAGE,
    options: {
      counts: { type: 'string', default: '1,10,50,100,200' },
      podwire: { type: 'string' },
      nodes: { type: 'string' },
      rates: { type: 'string', default: '10,40,83' },
      seconds: { type: 'string', default: '15' },
      output: { type: 'string', default: 'docs/benchmarks' },
      prepared: { type: 'string' }, // added by runPrepared
    },
  },
  async ({ values }) => {
    const counts = parseList('--counts', values.counts, 500);
    const fleet = values.nodes === undefined ? undefined : parseFleetOptions({ ...values, nodes: values.nodes });
    if (values.prepared === undefined || !isInPrivateNamespace()) {
      const plugins = fleet === undefined ? (['podwire'] as const) : [];
      const preparation = { podwirePath: values.podwire, others: [], plugins };
      process.exitCode = await runPrepared(import.meta.filename, process.argv.slice(2), preparation);
    } else if (fleet === undefined) {
      await showStorms(preparedIn(values.prepared).binFolder, counts, resolve(values.output));
    } else {
      await showFleet(fleet, resolve(values.output));
    }
  },
);

async function showStorms(binFolder: string, counts: readonly number[], outputFolder: string): Promise<void> {
  const maxCount = Math.max(...counts);
  log(`starting an API server, creating ${maxCount} pods`);
  await using node = await openBenchNode(maxCount);
  await using memory = openMemoryWatch();
  const run = openAttachmentRun({ name: 'podwire', binFolder, node, meter: openProcessMeter() });
  const storms: Storm[] = [];
  const hasFailed = () => storms.some(({ failures }) => failures.length > 0);
  for (let round = 0; round < WARM_UP_ROUNDS && !hasFailed(); round++) {
    storms.splice(0, storms.length, ...(await runStorm(run, 1, { node, memory })));
  }
  if (!hasFailed()) storms.length = 0;
  for (const count of counts) {
    if (hasFailed()) break;
    log(`${count} at once`);
    storms.push(...(await runStorm(run, count, { node, memory })));
  }
  const machine = describeMachine();
  const failures = storms.flatMap((storm) => storm.failures);
  print(machine, stormTable(storms));
  if (reportFailures(failures) === 'failed') return;
  await write(outputFolder, 'storm.svg', drawStorms(storms, machine));
  await write(outputFolder, 'storm.md', formatStormPage(machine, storms));
}

async function showFleet({ nodeCount, rates, seconds }: FleetOptions, outputFolder: string): Promise<void> {
  log(`starting an API server, creating ${nodeCount} nodes`);
  await using fleet = await openFleet(nodeCount, log);
  const warmUp = await loadFleet(fleet, { commandsPerSecond: 10, commands: 20, firstTurn: 0 });
  let firstTurn = warmUp.commands;
  const loads: FleetLoad[] = [];
  for (const rate of rates) {
    log(`${rate} commands per second for ${seconds} s`);
    loads.push(await loadFleet(fleet, { commandsPerSecond: rate, commands: rate * seconds, firstTurn }));
    firstTurn += rate * seconds;
  }
  const machine = describeMachine();
  const failures = loads.flatMap((load) => load.failures);
  print(`${machine}; ${nodeCount} nodes`, fleetTable(loads));
  if (reportFailures(failures) === 'failed') return;
  await write(outputFolder, 'fleet.md', formatFleetPage(machine, nodeCount, loads));
}

function parseFleetOptions(values: { nodes: string; rates: string; seconds: string }): FleetOptions {
  return {
    nodeCount: parseWholeNumber('--nodes', values.nodes, 5000),
    rates: parseList('--rates', values.rates, 200),
    seconds: parseWholeNumber('--seconds', values.seconds, 60),
  };
}

function parseList(option: string, text: string, max: number): readonly number[] {
  return text.split(',').map((item) => parseWholeNumber(option, item, max));
}

function log(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function print(title: string, table: Table): void {
  process.stdout.write(`${title}\n\n${formatTextTable(table)}\n`);
}

// A run with a failed command is not written to a page: a command that fails early looks fast.
function reportFailures(failures: readonly string[]): 'failed' | 'none' {
  if (failures.length === 0) return 'none';
  const shown = failures.slice(0, 10).join('\n');
  process.stderr.write(`bench: ${failures.length} commands FAILED, so no page was written:\n${shown}\n`);
  process.exitCode = 1;
  return 'failed';
}

async function write(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
}

// npm run bench:scale: many ADDs, then many DELs at once on one node; with --nodes what a whole cluster asks of one API server.
// Everything is on loopback, and ends by itself.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openAttachmentRun } from './bench/attachment-run.ts';
import { openBenchNode } from './bench/bench-node.ts';
import { fleetTable, formatFleetPage } from './bench/fleet-report.ts';
import { type FleetLoad, loadFleet, openFleet } from './bench/fleet.ts';
import { describeMachine } from './bench/machine.ts';
import { openMemoryWatch } from './bench/memory-watch.ts';
import { isInside, preparedIn, runPrepared } from './bench/prepared-programs.ts';
import { openProcessMeter } from './bench/process-meter.ts';
import { drawStorms, formatStormPage, stormTable } from './bench/storm-report.ts';
import { runStorm, type Storm } from './bench/storm.ts';
import { formatTextTable, type Table } from './command-line/text-table.ts';

const USAGE = `usage: npm run bench:scale -- [options]
  --counts LIST      how many at once, 1 to 500 each (1,10,50,100,200)
  --podwire PATH     this executable, instead of one built now
  --nodes N          instead: so many Nodes, up to 5000, in one API server, which are attached to at an even rate
  --rates LIST       commands per second of all these nodes, 1 to 200 each (10,40,83); 83 is 150,000 pods that live an hour
  --seconds N        how long at each rate, up to 60 (15)
  --output FOLDER    where the page and the drawing go (docs/benchmarks)
`;

const words = process.argv.slice(2);
const { values: options } = parseArgs({
  args: words,
  options: {
    counts: { type: 'string', default: '1,10,50,100,200' },
    podwire: { type: 'string' },
    nodes: { type: 'string' },
    rates: { type: 'string', default: '10,40,83' },
    seconds: { type: 'string', default: '15' },
    output: { type: 'string', default: 'docs/benchmarks' },
    help: { type: 'boolean', default: false },
    prepared: { type: 'string' }, // by runPrepared
  },
});

const WARM_UP_ROUNDS = 5;
const progress = (text: string) => void process.stderr.write(`bench: ${text}\n`);

if (options.help) process.stdout.write(USAGE);
else if (options.prepared === undefined || !isInside()) {
  const plugins = options.nodes === undefined ? (['podwire'] as const) : [];
  const preparation = { podwirePath: options.podwire, others: [], plugins };
  process.exitCode = await runPrepared(import.meta.filename, words, preparation);
} else if (options.nodes === undefined) await measureStorms(options.prepared, wholeNumbers('counts', 500));
else await measureFleet(options.nodes);

async function measureStorms(workFolder: string, counts: readonly number[]): Promise<void> {
  const { binFolder } = preparedIn(workFolder);
  const most = Math.max(...counts);
  progress(`starting an API server, making ${most} pods`);
  await using node = await openBenchNode(most);
  await using memory = openMemoryWatch();
  const run = openAttachmentRun({ name: 'podwire', binFolder, node, meter: openProcessMeter() });
  const storms: Storm[] = [];
  const isFailed = () => storms.some(({ failures }) => failures.length > 0);
  for (let round = 0; round < WARM_UP_ROUNDS && !isFailed(); round++) {
    storms.splice(0, storms.length, ...(await runStorm(run, 1, { node, memory })));
  }
  if (!isFailed()) storms.length = 0;
  for (const count of counts) {
    if (isFailed()) break;
    progress(`${count} at once`);
    storms.push(...(await runStorm(run, count, { node, memory })));
  }
  const machine = describeMachine();
  const failures = storms.flatMap((storm) => storm.failures);
  if (!tell(machine, stormTable(storms), failures)) return;
  await write('storm.svg', drawStorms(storms, machine));
  await write('storm.md', formatStormPage(machine, storms));
}

async function measureFleet(nodes: string): Promise<void> {
  const [nodeCount = 0] = wholeNumbers('nodes', 5000);
  const [seconds = 0] = wholeNumbers('seconds', 60);
  const rates = wholeNumbers('rates', 200);
  progress(`starting an API server, making ${nodes} nodes`);
  await using fleet = await openFleet(nodeCount, progress);
  const warmUp = await loadFleet(fleet, { commandsPerSecond: 10, commands: 20, firstTurn: 0 });
  let firstTurn = warmUp.commands;
  const loads: FleetLoad[] = [];
  for (const rate of rates) {
    progress(`${rate} commands per second for ${seconds} s`);
    loads.push(await loadFleet(fleet, { commandsPerSecond: rate, commands: rate * seconds, firstTurn }));
    firstTurn += rate * seconds;
  }
  const machine = describeMachine();
  const failures = loads.flatMap((load) => load.failures);
  if (!tell(`${machine}; ${nodeCount} nodes`, fleetTable(loads), failures)) return;
  await write('fleet.md', formatFleetPage(machine, nodeCount, loads));
}

/** Prints what was found, and whether it may be written down: a run in which something failed proves nothing. */
function tell(title: string, table: Table, failures: readonly string[]): boolean {
  process.stdout.write(`${title}\n\n${formatTextTable(table).join('\n')}\n`);
  if (failures.length === 0) return true;
  process.stderr.write(`${failures.length} FAILED, nothing is written:\n${failures.slice(0, 10).join('\n')}\n`);
  process.exitCode = 1;
  return false;
}

async function write(name: string, text: string): Promise<void> {
  const folder = resolve(options.output);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
}

function wholeNumbers(name: 'counts' | 'nodes' | 'rates' | 'seconds', most: number): readonly number[] {
  const text = options[name] ?? '';
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isSafeInteger(number) && number >= 1 && number <= most)) return numbers;
  throw new Error(`--${name} ${text}: from 1 to ${most} is wanted`);
}

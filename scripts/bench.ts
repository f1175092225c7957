// npm run bench: ADD, CHECK, STATUS and DEL of podwire beside ptp with host-local, and beside a program that only talks, in one run, against a
// real API server.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openAttachmentRun } from './bench/attachment-run.ts';
import { openBenchNode } from './bench/bench-node.ts';
import { drawComparison } from './bench/comparison-chart.ts';
import { formatComparison, formatComparisonPage } from './bench/comparison-report.ts';
import { compare } from './bench/comparison.ts';
import { describeMachine } from './bench/machine.ts';
import { isInside, parseContestant, preparedIn, runPrepared } from './bench/prepared-programs.ts';
import { openProcessMeter } from './bench/process-meter.ts';
import { traceCommands } from './bench/timeline.ts';
import { drawWaterfall, formatWaterfall } from './bench/waterfall.ts';

const USAGE = `usage: npm run bench -- [options]
  --runs N           rounds of one ADD and DEL at a time (60)
  --at-once N        how many at once (50)
  --at-once-rounds N rounds of that (3)
  --podwire PATH     this executable, instead of one built now
  --also NAME=PATH   another plugin, with podwire's network configuration; can be repeated
  --reference NAME   what ratios are to (ptp)
  --timeline         instead: where the time of podwire's ADD and DEL goes, step by step
  --output FOLDER    where the page and the drawing go (docs/benchmarks)
`;

/** The contestants, in the order of the page. */
const OWN = ['ptp', 'bare', 'podwire'] as const;

const words = process.argv.slice(2);
const { values: options } = parseArgs({
  args: words,
  options: {
    runs: { type: 'string', default: '60' },
    'at-once': { type: 'string', default: '50' },
    'at-once-rounds': { type: 'string', default: '3' },
    podwire: { type: 'string' },
    also: { type: 'string', multiple: true, default: [] },
    reference: { type: 'string', default: 'ptp' },
    timeline: { type: 'boolean', default: false },
    output: { type: 'string', default: 'docs/benchmarks' },
    help: { type: 'boolean', default: false },
    prepared: { type: 'string' }, // by runPrepared
  },
});
const others = options.also.map(parseContestant);

if (options.help) process.stdout.write(USAGE);
else if (options.prepared !== undefined && isInside())
  await (options.timeline ? drawTimeline : measure)(options.prepared);
else {
  const plugins = options.timeline ? (['podwire'] as const) : OWN;
  const preparation = { podwirePath: options.podwire, others, plugins };
  process.exitCode = await runPrepared(import.meta.filename, words, preparation);
}

async function measure(workFolder: string): Promise<void> {
  const progress = (text: string) => void process.stderr.write(`bench: ${text}\n`);
  const { binFolder } = preparedIn(workFolder);
  const [rounds, togetherCount, togetherRounds] = [
    wholeNumber('runs'),
    wholeNumber('at-once'),
    wholeNumber('at-once-rounds'),
  ];
  progress(`starting an API server, making ${togetherCount} pods`);
  await using node = await openBenchNode(togetherCount);
  const meter = openProcessMeter();
  const names = [...OWN, ...others.map(({ name }) => name)];
  const runs = names.map((name) => openAttachmentRun({ name, binFolder, node, meter }));
  const series = await compare(runs, node, { warmUpRounds: 5, rounds, togetherRounds, onProgress: progress });

  const circumstances = { machine: describeMachine(), rounds, togetherCount, togetherRounds };
  const { reference } = options;
  process.stdout.write(formatComparison(series, { reference, circumstances, stream: process.stdout }));
  const folder = resolve(options.output);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'comparison.md'), formatComparisonPage(series, reference, circumstances));
  await writeFile(join(folder, 'comparison.svg'), drawComparison(series, `${circumstances.machine}; ${rounds} rounds`));
}

async function drawTimeline(workFolder: string): Promise<void> {
  await using node = await openBenchNode(1);
  const { binFolder } = preparedIn(workFolder);
  const run = openAttachmentRun({ name: 'podwire', binFolder, node, meter: openProcessMeter() });
  const rounds = wholeNumber('runs');
  const caption = `${describeMachine()}; each step at its median of ${rounds} runs`;
  const waterfalls = traceCommands(run, node, rounds).map(({ verb, steps, wallMs }) => {
    return { verb, title: `${verb} of podwire`, caption, steps, wallMs };
  });
  const texts = waterfalls.map(formatWaterfall);
  process.stdout.write(`${texts.join('\n\n')}\n`);
  const folder = resolve(options.output);
  await mkdir(folder, { recursive: true });
  const pictures = waterfalls.map(({ verb, title }) => `![${title}](timeline-${verb.toLowerCase()}.svg)`);
  const page = [
    '# Where the time goes',
    `Written by \`npm run bench -- --timeline\`. ${caption}.`,
    ...pictures,
    ...texts.map(fenced),
  ];
  await writeFile(join(folder, 'timeline.md'), `${page.join('\n\n')}\n`);
  for (const waterfall of waterfalls) {
    await writeFile(join(folder, `timeline-${waterfall.verb.toLowerCase()}.svg`), drawWaterfall(waterfall));
  }
}

function fenced(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

function wholeNumber(name: 'runs' | 'at-once' | 'at-once-rounds'): number {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${name} ${options[name]}: a number from 1 is wanted`);
  return value;
}

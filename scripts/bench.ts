// npm run bench: measures ADD, CHECK, STATUS and DEL of podwire against a real API server. In the same run it measures
// ptp with host-local, and "bare", a program that makes podwire's requests and does nothing else.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openAttachmentRun } from './bench/attachment-run.ts';
import { openBenchNode } from './bench/bench-node.ts';
import { drawComparison } from './bench/comparison-chart.ts';
import { formatComparison, formatComparisonPage } from './bench/comparison-report.ts';
import { compare } from './bench/comparison.ts';
import { describeMachine } from './bench/machine.ts';
import {
  isInPrivateNamespace,
  parseContestant,
  preparedIn,
  runPrepared,
  type Contestant,
} from './bench/prepared-programs.ts';
import { openProcessMeter } from './bench/process-meter.ts';
import { traceCommands } from './bench/timeline.ts';
import { drawWaterfall, formatWaterfall } from './bench/waterfall.ts';
import { runScript } from './command-line/run-script.ts';
import { parseWholeNumber } from './command-line/whole-number.ts';

const USAGE = `usage: npm run bench -- [options]

Compares podwire with other plugins, and writes comparison.md and comparison.svg.
  --runs N            rounds of one ADD and DEL at a time (60)
  --at-once N         how many ADDs or DELs to run at once (50)
  --at-once-rounds N  rounds of running that many at once (3)
  --podwire PATH      use this executable instead of building one
  --also NAME=PATH    also measure this plugin, with podwire's network configuration; can be repeated
  --reference NAME    the plugin that ratios refer to (ptp)
  --timeline          instead: show step by step where the time of podwire's ADD and DEL goes, and write timeline.md
  --output FOLDER     write the page and the drawings there (docs/benchmarks)
`;

/** The plugins that are always compared, in the order of the page. */
const PLUGINS = ['ptp', 'bare', 'podwire'] as const;

interface BenchOptions {
  readonly rounds: number;
  readonly togetherCount: number;
  readonly togetherRounds: number;
  readonly others: readonly Contestant[];
  readonly reference: string;
  readonly outputFolder: string;
}

await runScript(
  {
    name: 'bench',
    usage: USAGE,
    options: {
      runs: { type: 'string', default: '60' },
      'at-once': { type: 'string', default: '50' },
      'at-once-rounds': { type: 'string', default: '3' },
      podwire: { type: 'string' },
      also: { type: 'string', multiple: true, default: [] },
      reference: { type: 'string', default: 'ptp' },
      timeline: { type: 'boolean', default: false },
      output: { type: 'string', default: 'docs/benchmarks' },
      prepared: { type: 'string' }, // added by runPrepared
    },
  },
  async ({ values }) => {
    const options: BenchOptions = {
      rounds: parseWholeNumber('--runs', values.runs),
      togetherCount: parseWholeNumber('--at-once', values['at-once']),
      togetherRounds: parseWholeNumber('--at-once-rounds', values['at-once-rounds']),
      others: values.also.map(parseContestant),
      reference: values.reference,
      outputFolder: resolve(values.output),
    };
    if (values.prepared !== undefined && isInPrivateNamespace()) {
      const { binFolder } = preparedIn(values.prepared);
      await (values.timeline ? showTimeline(binFolder, options) : showComparison(binFolder, options));
      return;
    }
    const plugins = values.timeline ? (['podwire'] as const) : PLUGINS;
    const preparation = { podwirePath: values.podwire, others: options.others, plugins };
    process.exitCode = await runPrepared(import.meta.filename, process.argv.slice(2), preparation);
  },
);

async function showComparison(binFolder: string, options: BenchOptions): Promise<void> {
  const { rounds, togetherCount, togetherRounds, others, reference, outputFolder } = options;
  const log = (text: string) => void process.stderr.write(`bench: ${text}\n`);
  log(`starting an API server, creating ${togetherCount} pods`);
  await using node = await openBenchNode(togetherCount);
  const meter = openProcessMeter();
  const names = [...PLUGINS, ...others.map(({ name }) => name)];
  const runs = names.map((name) => openAttachmentRun({ name, binFolder, node, meter }));
  const series = await compare(runs, node, { warmUpRounds: 5, rounds, togetherRounds, onProgress: log });

  const conditions = { machine: describeMachine(), rounds, togetherCount, togetherRounds };
  process.stdout.write(formatComparison(series, { reference, conditions, stream: process.stdout }));
  await mkdir(outputFolder, { recursive: true });
  await writeFile(join(outputFolder, 'comparison.md'), formatComparisonPage(series, reference, conditions));
  const caption = `${conditions.machine}; ${rounds} rounds`;
  await writeFile(join(outputFolder, 'comparison.svg'), drawComparison(series, caption));
}

async function showTimeline(binFolder: string, { rounds, outputFolder }: BenchOptions): Promise<void> {
  await using node = await openBenchNode(1);
  const run = openAttachmentRun({ name: 'podwire', binFolder, node, meter: openProcessMeter() });
  const caption = `${describeMachine()}; each step at its median of ${rounds} runs`;
  const waterfalls = traceCommands(run, node, rounds).map(({ verb, steps, wallMs }) => {
    return { verb, title: `${verb} of podwire`, caption, steps, wallMs };
  });
  const texts = waterfalls.map(formatWaterfall);
  process.stdout.write(`${texts.join('\n\n')}\n`);
  await mkdir(outputFolder, { recursive: true });
  const pictures = waterfalls.map(({ verb, title }) => `![${title}](timeline-${verb.toLowerCase()}.svg)`);
  const page = [
    '# Where the time goes',
    `Written by \`npm run bench -- --timeline\`. ${caption}.`,
    ...pictures,
    ...texts.map(fenced),
  ];
  await writeFile(join(outputFolder, 'timeline.md'), `${page.join('\n\n')}\n`);
  for (const waterfall of waterfalls) {
    await writeFile(join(outputFolder, `timeline-${waterfall.verb.toLowerCase()}.svg`), drawWaterfall(waterfall));
  }
}

function fenced(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

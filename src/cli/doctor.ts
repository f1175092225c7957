import { diagnose, type Diagnosis } from '../diagnosis/diagnose.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import { findDescription } from '../diagnosis/finding-table.ts';
import { formatTime } from '../diagnosis/format-time.ts';
import { reportValue } from '../diagnosis/report-value.ts';
import { PODWIRE_VERSION } from '../version.ts';
import { EXIT, UsageError, type CliIo } from './cli-io.ts';
import { observeNode } from './observe/observe-node.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { formatDescription, formatReport, type ReportHeader } from './report-text.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { tryAttachment } from './try-attachment.ts';

/** The options of `podwire doctor`. */
export interface DoctorOptions {
  readonly output: OutputFormat;
  readonly verbose: boolean;
  readonly timeoutSeconds: number;
  readonly root: string | undefined;
  readonly kubeconfig: string | undefined;
  /** Makes an attachment, and removes it. */
  readonly try: boolean;
}

/**
 * `podwire doctor`: observes the node, makes every check, and reports root causes first.
 *
 * @returns the exit status: 1 if there is a finding
 * @throws {UsageError} for an unknown number
 */
export async function runDoctor(number: string | undefined, options: DoctorOptions, io: CliIo): Promise<number> {
  if (number !== undefined) return explainNumber(number, options, io);
  const facts = await observeNode({
    environment: io.environment,
    executablePath: io.called.executablePath,
    root: options.root,
    kubeconfigPath: options.kubeconfig,
    timeoutMs: options.timeoutSeconds * 1000,
  });
  const tried = options.try ? await tryAttachment(facts, options, io) : [];
  const diagnosis = diagnose(facts, tried);
  const terminal = openTerminal(io.environment, io.isTerminal(1), io.columns());
  await io.writeStdout(await formatDiagnosis(diagnosis, facts, options, terminal));
  return diagnosis.causes.length === 0 ? EXIT.fine : EXIT.failure;
}

async function explainNumber(number: string, { output }: DoctorOptions, io: CliIo): Promise<number> {
  const id = number.toUpperCase();
  const description = findDescription(id);
  if (description === undefined) {
    throw new UsageError(`unknown finding "${number}": "podwire doctor --verbose" shows all numbers`);
  }
  const text = await formatOutput(output, {
    value: () => ({ id, ...description, doc: `docs/troubleshooting.md#${id.toLowerCase()}` }),
    table: () => formatDescription(id, description),
    wide: () => formatDescription(id, description),
    names: () => [id],
  });
  await io.writeStdout(text);
  return EXIT.fine;
}

function formatDiagnosis(
  diagnosis: Diagnosis,
  facts: NodeFacts,
  { output, verbose }: DoctorOptions,
  terminal: Terminal,
): Promise<string> {
  const header = headerOf(facts);
  return formatOutput(output, {
    value: () => reportValue(diagnosis, { nodeName: facts.nodeName, version: PODWIRE_VERSION, nowMs: facts.nowMs }),
    table: () => formatReport(diagnosis, header, terminal, { isVerbose: verbose }),
    wide: () => formatReport(diagnosis, header, terminal, { isVerbose: true }),
    names: () => diagnosis.causes.map(({ finding }) => finding.number),
  });
}

function headerOf({ nodeName, runtime, api, nowMs, machine }: NodeFacts): ReportHeader {
  const kubernetes =
    api.kind === 'seen' && api.value.answer.kind === 'ok'
      ? [`Kubernetes ${api.value.answer.version.replace(/^v/, '')}`]
      : [];
  return {
    parts: [
      nodeName ?? 'unknown node',
      `podwire ${PODWIRE_VERSION}`,
      ...(runtime.kind === 'seen' ? [runtime.value.name] : []),
      ...kubernetes,
      formatTime(nowMs, nowMs),
      ...(machine.nodeRoot === '/' ? [] : [`from a container (${machine.nodeRoot})`]),
    ],
  };
}

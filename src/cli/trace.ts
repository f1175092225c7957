import { readFileSync, writeFileSync } from 'node:fs';
import { messageOf } from '../system/error-text.ts';
import { CommandError, EXIT, type CliIo } from './cli-io.ts';
import { describeTrace, drawTrace, formatTrace } from './draw-trace.ts';
import { readTraces, type ReadTrace } from './read-trace.ts';
import { formatTable } from './table.ts';
import { openTerminal } from './terminal.ts';

export interface TraceOptions {
  readonly filePath: string;
  /** The beginning of a trace's id; `undefined`: the last trace. */
  readonly id: string | undefined;
  readonly isList: boolean;
  /** Where to write the picture. */
  readonly svgPath: string | undefined;
}

/**
 * `podwire trace`: draws the last trace of a file, or the one with an id, and with `--list` lists them all.
 *
 * @returns the exit status
 * @throws {CommandError} if the file or the trace does not exist
 */
export async function runTrace({ filePath, id, isList, svgPath }: TraceOptions, io: CliIo): Promise<number> {
  const traces = readTraces(readFile(filePath));
  if (isList) {
    await io.writeStdout(listOf(traces));
    return EXIT.fine;
  }
  const trace = traces.findLast(({ traceId }) => id === undefined || traceId.startsWith(id));
  if (trace === undefined) {
    const missing = id === undefined ? 'no spans' : `no trace whose id begins with ${id}`;
    throw new CommandError(`${filePath} has ${missing}: "podwire trace ${filePath} --list" shows what it has`);
  }
  if (svgPath === undefined) {
    await io.writeStdout(`${formatTrace(trace, openTerminal(io.environment, io.isTerminal(1), io.columns()))}\n`);
  } else writeFile(svgPath, drawTrace(trace));
  return EXIT.fine;
}

function listOf(traces: readonly ReadTrace[]): string {
  if (traces.length === 0) return 'No traces were found.\n';
  return formatTable(
    ['TRACE', 'TIME', 'COMMAND'],
    traces.map((trace) => [trace.traceId, timeOf(trace), describeTrace(trace)]),
    'any',
  );
}

function timeOf({ spans }: ReadTrace): string {
  return new Date(Number((spans[0]?.beginNs ?? 0n) / 1_000_000n)).toISOString();
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CommandError(
      `cannot read ${path}: ${messageOf(error)}; the key trace_file of the network configuration says where spans are written`,
      { cause: error },
    );
  }
}

function writeFile(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

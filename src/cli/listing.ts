import { hasPodRoute } from '../diagnosis/check-attachments.ts';
import type { NodeFacts, RecordFact } from '../diagnosis/facts.ts';
import type { CliIo } from './cli-io.ts';
import { observeLocally } from './observe/observe-node.ts';
import type { OutputFormat } from './output-format.ts';

/** The options of `podwire get`. */
export interface GetOptions {
  readonly output: OutputFormat;
  /** `undefined`: all namespaces. */
  readonly namespace: string | undefined;
  /** Whether the namespace is a column. */
  readonly showsNamespace: boolean;
  readonly node: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly timeoutSeconds: number;
}

/** A list, as data and as a table. */
export interface Listing {
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly table: readonly Column[];
  readonly wide: readonly Column[];
  readonly nameOf: (row: Readonly<Record<string, string>>) => string;
  /** Below the table. */
  readonly note: string;
}

/** The heading of a column, and the member of a row. */
export type Column = readonly [heading: string, key: string];

/** The state of an attachment on this node: `ok`, or what is missing. */
export function stateOf(record: RecordFact, { links, routes }: NodeFacts): string {
  if (record.isOfEarlierBoot) return 'old boot';
  if (record.hasSandbox === false) return 'no sandbox';
  if (record.stage !== 'attached') return record.stage;
  if (links.kind === 'unseen' || routes.kind === 'unseen') return 'unknown';
  if (!links.value.some(({ name }) => name === record.hostInterface)) return 'MISSING';
  return hasPodRoute(record.hostInterface, routes.value) ? 'ok' : 'no route';
}

/** The facts of this machine, `undefined` if podwire is not installed on it. */
export async function observeIfNode(io: CliIo, observe = observeLocally): Promise<NodeFacts | undefined> {
  const { environment, called } = io;
  const options = {
    environment,
    executablePath: called.executablePath,
    root: undefined,
    kubeconfigPath: undefined,
    timeoutMs: 5000,
  };
  const local = await observe(options);
  return local.own.kind === 'absent' ? undefined : local;
}

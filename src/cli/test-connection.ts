import { readConnection } from '../cluster/credentials/connection.ts';
import { CniError } from '../cni/error.ts';
import { checkAddresses } from '../diagnosis/check-addresses.ts';
import { checkApi } from '../diagnosis/check-api.ts';
import { arrange } from '../diagnosis/diagnose.ts';
import type { ApiFacts } from '../diagnosis/api-facts.ts';
import type { NodeFacts } from '../diagnosis/facts.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { formatExplainedError } from '../install/install-error.ts';
import { EXIT, type CliIo } from './cli-io.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { observeApi } from './observe/observe-api.ts';
import { parseOwnPlugin } from './observe/observe-configs.ts';
import { nodeNameOf } from './observe/observe-node.ts';
import { readConfiguration } from './read-configuration.ts';
import { formatFindings } from './report-text.ts';
import { openTerminal } from './terminal.ts';

/** The options of `podwire -t` and `podwire test`. */
export interface TestOptions {
  /** A file with the configuration. `undefined`: stdin, or on a terminal the node's first configuration. */
  readonly config: string | undefined;
  readonly timeoutSeconds: number;
}

/**
 * `podwire -t`, `podwire test`: tests a network configuration, of one plugin or of a list: address, certificate, clock,
 * token, permissions and Node. It never waits for longer than the time limit.
 *
 * @returns the exit status
 */
export async function runTest({ config: path, timeoutSeconds }: TestOptions, io: CliIo): Promise<number> {
  try {
    const { list, source } = await readConfiguration(path, io);
    if (source !== undefined) io.writeStderr(`testing ${source}\n`);
    const config = parseOwnPlugin(list, io.environment);
    const files = openNodeFiles('/', io.environment);
    const nodeName = nodeNameOf(config, files);
    const connection = await readConnection(config.connection, io.environment);
    const api = await observeApi({
      connection,
      budgets: config.budgets,
      nodeName,
      pod: undefined,
      failedPods: [],
      other: undefined,
      timeoutMs: timeoutSeconds * 1000,
      show: (text) => text,
    });
    return await report(config, api, nodeName, io);
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    io.writeStderr(`${formatExplainedError(error)}\n`);
    return EXIT.failure;
  }
}

const NUMBERS: ReadonlySet<string> = new Set([
  'PW201',
  'PW202',
  'PW203',
  'PW204',
  'PW301',
  'PW302',
  'PW401',
  'PW403',
  'PW405',
]);

async function report(config: NetworkConfig, api: ApiFacts, nodeName: string | undefined, io: CliIo): Promise<number> {
  const unseen = { kind: 'unseen', why: 'not part of this test' } as const;
  const facts: NodeFacts = {
    nowMs: Date.now(),
    nodeName,
    folders: { configs: '', programs: '' },
    runtime: unseen,
    multus: undefined,
    configs: unseen,
    own: { kind: 'valid', fileName: 'the configuration', config },
    programs: unseen,
    api: { kind: 'seen', value: api },
    addresses: unseen,
    journal: unseen,
    links: unseen,
    routes: unseen,
    machine: {
      gatewayProblem: unseen,
      mtuFile: undefined,
      managedInterfaces: [],
      disk: undefined,
      isSameProgram: undefined,
      nativeFolder: unseen,
      denials: unseen,
      isRoot: true,
      nodeRoot: '/',
    },
    packets: {
      sysctls: {},
      firewall: unseen,
      zones: undefined,
      reversePathFilters: {},
      interfaceSettings: {},
      counters: undefined,
      connectionDrops: unseen,
    },
    processes: { agent: undefined, tokenWriters: [], timeService: undefined, hasBird: false },
    failures: unseen,
  };
  const findings = [...checkApi(facts), ...checkAddresses(facts)].filter(({ number }) => NUMBERS.has(number));
  const diagnosis = arrange(findings);
  const terminal = openTerminal(io.environment, io.isTerminal(1), io.columns());
  if (api.answer.kind === 'ok') {
    await io.writeStdout(`the API server answers: ${api.answer.version}\n`);
    await io.writeStdout(formatFindings(diagnosis, terminal));
  } else {
    io.writeStderr(`${formatExplainedError(api.answer.error)} [${api.answer.error.finding ?? 'PW201'}]\n`);
  }
  return diagnosis.causes.length === 0 ? EXIT.fine : EXIT.failure;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatCidr } from '../address/cidr.ts';
import { checkBeforeInstall, checkCluster, numbersOf } from '../diagnosis/check-cluster.ts';
import type { ClusterState } from '../diagnosis/cluster-facts.ts';
import { arrange } from '../diagnosis/diagnose.ts';
import { reportValue } from '../diagnosis/report-value.ts';
import { PODWIRE_VERSION } from '../version.ts';
import { CommandError, EXIT, type CliIo } from './cli-io.ts';
import { observeCluster } from './observe/observe-cluster.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { openPersonApi } from './person-api.ts';
import { formatFindings } from './report-text.ts';
import { formatTable } from './table.ts';
import { openTerminal } from './terminal.ts';

/** The options of `podwire doctor --cluster` and `--node`. */
export interface ClusterDoctorOptions {
  readonly output: OutputFormat;
  readonly verbose: boolean;
  /** Checks whether podwire can be installed. */
  readonly isBeforeInstall: boolean;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly timeoutSeconds: number;
}

/**
 * `podwire doctor --cluster`: checks the objects of the cluster, and shows every node in one line.
 *
 * @returns the exit status: 1 if there is a finding
 * @throws {CommandError} if the API cannot be read
 */
export async function runClusterDoctor(options: ClusterDoctorOptions, io: CliIo): Promise<number> {
  const { output, verbose, isBeforeInstall, timeoutSeconds } = options;
  const api = await openPersonApi({ ...options, timeoutMs: timeoutSeconds * 1000 });
  const state = await observeCluster(api);
  const diagnosis = arrange(isBeforeInstall ? checkBeforeInstall(state) : checkCluster(state));
  const terminal = openTerminal(io.environment, io.isTerminal(1), io.columns());
  const format = (isVerbose: boolean) => {
    const shown = isVerbose || diagnosis.causes.length === 0 ? diagnosis : { ...diagnosis, passed: [] };
    return `${formatNodes(state)}\n${formatFindings(shown, terminal)}`;
  };
  const text = await formatOutput(output, {
    value: () => ({
      ...reportValue(diagnosis, { nodeName: undefined, version: PODWIRE_VERSION, nowMs: Date.now() }),
      nodes: state.nodes.map((node) => ({
        name: node.name,
        ready: node.isReady,
        podCidrs: node.podCidrs.map(formatCidr),
        podwire: node.podwire ?? null,
        findings: numbersOf(node, state),
      })),
    }),
    table: () => format(verbose),
    wide: () => format(true),
    names: () => diagnosis.causes.map(({ finding }) => finding.number),
  });
  await io.writeStdout(text);
  return diagnosis.causes.length === 0 ? EXIT.fine : EXIT.failure;
}

function formatNodes(state: ClusterState): string {
  const rows = state.nodes.map((node) => [
    node.name,
    node.podwire?.version ?? '-',
    node.isReady ? 'Ready' : 'NotReady',
    node.podCidrs.map(formatCidr).join(' ') || '-',
    numbersOf(node, state).join(' ') || '-',
  ]);
  return formatTable(['NODE', 'PODWIRE', 'STATE', 'PODCIDR', 'FINDING'], rows);
}

/**
 * `podwire doctor --node`: runs doctor in the podwire pod of another node, with kubectl.
 *
 * @param args further arguments of doctor
 * @returns the exit status of doctor there
 * @throws {CommandError} if the node has no podwire pod, or kubectl is missing
 */
export async function runDoctorOnNode(
  node: string,
  args: readonly string[],
  { kubeconfig, context, timeoutSeconds }: Pick<ClusterDoctorOptions, 'kubeconfig' | 'context' | 'timeoutSeconds'>,
  io: CliIo,
): Promise<number> {
  const api = await openPersonApi({ kubeconfig, context, timeoutMs: timeoutSeconds * 1000 });
  const { nodes } = await observeCluster(api);
  const pod = nodes.find(({ name }) => name === node)?.podwire;
  if (pod === undefined) {
    const known = nodes.some(({ name }) => name === node);
    throw new CommandError(known ? `node ${node} has no pod of podwire` : `the cluster has no node ${node}`);
  }
  const credentials = [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
    ...(context === undefined ? [] : ['--context', context]),
  ];
  const command = [
    ...credentials,
    '-n',
    'kube-system',
    'exec',
    pod.name,
    '-c',
    'token',
    '--',
    '/opt/cni/bin/podwire',
    'doctor',
    ...args,
  ];
  const child = spawn('kubectl', command, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...io.environment } });
  const ended = once(child, 'close');
  child.stderr.setEncoding('utf8').on('data', (text: string) => io.writeStderr(text));
  try {
    for await (const chunk of child.stdout.setEncoding('utf8')) await io.writeStdout(String(chunk));
    await ended;
  } catch {
    throw new CommandError('kubectl cannot be run: it is needed to reach the podwire pod of another node');
  }
  return child.exitCode ?? EXIT.failure;
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeEnvironment } from '../../test/lab/runtime-call.ts';
import { type BenchNode, type BenchPod, POD_NAMESPACE } from './bench-node.ts';
import type { MeteredProgram, ProcessCost, ProcessMeter } from './process-meter.ts';

export type Verb = 'ADD' | 'CHECK' | 'STATUS' | 'DEL';

/** A plugin that is called as a runtime calls it, for any pod of the node. */
export interface AttachmentRun {
  readonly name: string;
  /** The commands it supports, in the order of an attachment's life. */
  readonly verbs: readonly Verb[];
  /** Runs one command for one pod. */
  measure(verb: Verb, pod: BenchPod): ProcessCost;
  /** Runs one command for all these pods at once. */
  measureTogether(verb: Verb, pods: readonly BenchPod[]): readonly ProcessCost[];
  /** Does the same, but returns failures instead of throwing: what each failed run printed. */
  tryTogether(
    verb: Verb,
    pods: readonly BenchPod[],
  ): { readonly costs: readonly ProcessCost[]; readonly failures: readonly string[] };
  /** Measures the peak memory of one run. */
  measurePeakKb(verb: Verb, pod: BenchPod): number;
  /** Runs one command with PODWIRE_TRACE=1, and returns what it printed on stderr. */
  trace(verb: Verb, pod: BenchPod): { readonly cost: ProcessCost; readonly stderr: string };
}

export interface AttachmentRunOptions {
  readonly name: string;
  readonly binFolder: string;
  readonly node: BenchNode;
  readonly meter: ProcessMeter;
}

/**
 * Opens one plugin for measuring.
 *
 * @throws {Error} from every call whose run fails, with what it printed: a run that fails early would look fast
 */
export function openAttachmentRun({ name, binFolder, node, meter }: AttachmentRunOptions): AttachmentRun {
  const folder = join(node.folder, name);
  mkdirSync(folder);
  const config = name === 'ptp' ? ptpConfig(folder) : podwireConfig(name, node, folder);
  let lastContainer = 0;
  const containers = new Map<string, string>();

  const prepare = (verb: Verb, pod: BenchPod, extra: Readonly<Record<string, string>> = {}): MeteredProgram => {
    const file = (kind: string) => join(folder, `${pod.name}.${kind}`);
    if (verb === 'ADD') containers.set(pod.name, `${name}-${String(++lastContainer).padStart(8, '0')}`);
    const containerId = containers.get(pod.name) ?? '';
    const isAttached = verb === 'CHECK' || verb === 'DEL';
    const prevResult: unknown = isAttached ? JSON.parse(readFileSync(file('result'), 'utf8')) : undefined;
    writeFileSync(file('netconf'), JSON.stringify(prevResult === undefined ? config : { ...config, prevResult }));
    const attachment = {
      containerId,
      interfaceName: 'eth0',
      sandboxPath: pod.sandbox.path,
      pod: { namespace: POD_NAMESPACE, name: pod.name, uid: pod.uid },
    };
    return {
      path: join(binFolder, name),
      environment: runtimeEnvironment({
        verb,
        pluginPath: binFolder,
        ...(verb !== 'STATUS' && attachment),
        environment: extra,
      }),
      stdinPath: file('netconf'),
      stdoutPath: file(verb === 'ADD' ? 'result' : 'output'),
      stderrPath: file('stderr'),
    };
  };
  const failureOf = (
    verb: Verb,
    { stdoutPath, stderrPath }: MeteredProgram,
    exitStatus: number,
  ): string | undefined => {
    if (exitStatus === 0) return undefined;
    const printed = [stdoutPath, stderrPath].map((path) => readFileSync(path, 'utf8').trim().slice(0, 2000));
    return `${verb} of ${name} exited with status ${exitStatus}: ${printed.join('\n')}`;
  };
  const assertSuccess = (verb: Verb, program: MeteredProgram, exitStatus: number): void => {
    const failure = failureOf(verb, program, exitStatus);
    if (failure !== undefined) throw new Error(failure);
  };
  const tryTogether = (verb: Verb, pods: readonly BenchPod[]) => {
    const programs = pods.map((pod) => prepare(verb, pod));
    const costs = meter.runTogether(programs);
    return {
      costs,
      failures: programs.flatMap((program, index) => failureOf(verb, program, costs[index]?.exitStatus ?? 1) ?? []),
    };
  };

  return {
    name,
    verbs: name === 'podwire' ? ['ADD', 'CHECK', 'STATUS', 'DEL'] : ['ADD', 'DEL'],
    measure(verb, pod) {
      const program = prepare(verb, pod);
      const cost = meter.run(program);
      assertSuccess(verb, program, cost.exitStatus);
      return cost;
    },
    measureTogether(verb, pods) {
      const { costs, failures } = tryTogether(verb, pods);
      if (failures.length > 0) throw new Error(failures.join('\n'));
      return costs;
    },
    tryTogether,
    measurePeakKb(verb, pod) {
      const program = prepare(verb, pod);
      const { exitStatus, peakKb } = meter.runForPeak(program, join(folder, 'pid'));
      assertSuccess(verb, program, exitStatus);
      return peakKb;
    },
    trace(verb, pod) {
      const program = prepare(verb, pod, { PODWIRE_TRACE: '1' });
      const cost = meter.run(program);
      assertSuccess(verb, program, cost.exitStatus);
      return { cost, stderr: readFileSync(program.stderrPath, 'utf8') };
    },
  };
}

function podwireConfig(name: string, node: BenchNode, folder: string): object {
  return {
    cniVersion: name === 'podwire' ? '1.1.0' : '1.0.0', // STATUS requires 1.1.0; other plugins may not support it
    name: `network-of-${name}`,
    type: name,
    log_level: 'warning',
    datastore_type: 'kubernetes',
    nodename: node.name,
    ipam: { type: 'host-local', subnet: 'usePodCidr', dataDir: join(folder, 'leases') },
    policy: { type: 'k8s' },
    kubernetes: { kubeconfig: node.kubeconfigPath },
  };
}

function ptpConfig(folder: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'network-of-ptp',
    type: 'ptp',
    ipMasq: false,
    ipam: {
      type: 'host-local',
      subnet: '10.245.0.0/22',
      routes: [{ dst: '0.0.0.0/0' }],
      dataDir: join(folder, 'leases'),
    },
  };
}

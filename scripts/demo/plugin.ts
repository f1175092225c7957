import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runtimeEnvironment } from '../../test/lab/runtime-call.ts';
import { PATIENT_BUDGETS } from './chosen-pod.ts';
import { memberOf, textMemberOf } from './json-member.ts';
import { podName, type DemoCluster, type DemoPod } from './demo-cluster.ts';

export const NETWORK = 'podwire-demo';

/** A pod's attachment, as a container runtime requests it. */
export interface Attachment {
  readonly pod: DemoPod;
  readonly containerId: string;
  readonly sandboxPath: string;
}

/** The outcome of one run of the plugin. */
export interface PluginOutcome {
  /** Its stdout, parsed; `undefined` if it printed nothing. */
  readonly result: unknown;
  readonly tookMs: number;
}

/** Runs the executable as a container runtime does. */
export interface Plugin {
  /** @throws {Error} with the plugin's own message */
  run(verb: 'ADD' | 'CHECK' | 'DEL', attachment: Attachment, prevResult?: unknown): Promise<PluginOutcome>;
}

/**
 * Opens the plugin for pods of a cluster.
 *
 * @param pluginFolder CNI_PATH, which has the delegate
 */
export function openPlugin(executablePath: string, pluginFolder: string, cluster: DemoCluster): Plugin {
  return {
    async run(verb, attachment, prevResult) {
      const config = { ...networkConfig(cluster), ...(prevResult !== undefined && { prevResult }) };
      const startedMs = performance.now();
      const child = spawn(executablePath, [], {
        env: runtimeEnvironment({ verb, ...attachment, interfaceName: 'eth0', pluginPath: pluginFolder }),
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true, // Ctrl-C must reach the demo only, which then cleans up
      });
      const ended = once(child, 'close');
      child.stdin.on('error', () => undefined);
      child.stdin.end(JSON.stringify(config));
      let printed = '';
      let logged = '';
      child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()));
      child.stderr.on('data', (bytes: Buffer) => (logged += bytes.toString()));
      await ended;
      const tookMs = performance.now() - startedMs;
      if (child.exitCode !== 0) throw new Error(describeFailure(verb, attachment.pod, printed, logged));
      return { result: printed === '' ? undefined : parse(printed), tookMs };
    },
  };
}

function networkConfig({ nodeName, podCidrNodeName, podCidrs, kubeconfigPath }: DemoCluster): object {
  const families = [
    { isThere: podCidrs.some((podCidr) => podCidr.includes('.')), subnet: 'usePodCidr' },
    { isThere: podCidrs.some((podCidr) => podCidr.includes(':')), subnet: 'usePodCidrIPv6' },
  ];
  const ranges = families.filter(({ isThere }) => isThere).map(({ subnet }) => [{ subnet }]);
  const { apiConnectMs, apiRequestMs } = PATIENT_BUDGETS;
  return {
    cniVersion: '1.0.0',
    name: NETWORK,
    type: 'podwire',
    datastore_type: 'kubernetes',
    nodename: nodeName,
    log_level: 'warning',
    ipam: { type: 'host-local', ranges },
    kubernetes: { kubeconfig: kubeconfigPath, node_name: podCidrNodeName },
    budgets: {
      api_connect_ms: apiConnectMs,
      api_request_ms: apiRequestMs,
      add_api_ms: 2 * apiRequestMs,
      del_api_ms: 2 * apiRequestMs,
    },
  };
}

function describeFailure(verb: string, pod: DemoPod, printed: string, logged: string): string {
  const error = parse(printed);
  const code = memberOf(error, 'code');
  const message = textMemberOf(error, 'msg');
  const details = textMemberOf(error, 'details');
  const reason = message === '' ? printed : `code ${String(code)}: ${message}${details === '' ? '' : ` (${details})`}`;
  return `${verb} of ${podName(pod)} failed: ${reason}\n${logged}`.trimEnd();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import type { JsonObject } from '../../src/json/json.ts';

/** A pod, as a runtime names it in CNI_ARGS. */
export interface RuntimePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** One call of a CNI plugin by a container runtime. A variable whose value is absent is not set. */
export interface RuntimeCall {
  /** CNI_COMMAND. */
  readonly verb: string;
  readonly containerId?: string;
  readonly interfaceName?: string;
  /** CNI_NETNS. */
  readonly sandboxPath?: string;
  /** CNI_PATH: the folder of the plugins, the delegate's among them. */
  readonly pluginPath: string;
  /** Absent for a network without Kubernetes. */
  readonly pod?: RuntimePod | undefined;
  /** Added to what a runtime sets. `undefined` unsets a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** The network configuration of a call: an object, or bytes or text that are sent unchanged. */
export type RuntimeConfig = JsonObject | string | Uint8Array;

/** The environment of a call. */
export function runtimeEnvironment(call: RuntimeCall): Record<string, string> {
  const { verb, containerId, interfaceName, sandboxPath, pluginPath, pod, environment } = call;
  const variables = {
    PATH: process.env['PATH'],
    CNI_COMMAND: verb,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: sandboxPath,
    CNI_IFNAME: interfaceName,
    CNI_PATH: pluginPath,
    CNI_ARGS: pod && formatCniArgs(pod, containerId),
    ...environment,
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The input of a call. */
export function runtimeStdin(config: RuntimeConfig): string | Uint8Array {
  return typeof config === 'string' || config instanceof Uint8Array ? config : JSON.stringify(config);
}

/**
 * CNI_ARGS for a pod.
 *
 * @see containerd, internal/cri/server/sandbox_run.go, toCNILabels
 */
export function formatCniArgs({ namespace, name, uid }: RuntimePod, containerId?: string): string {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: name,
    K8S_POD_INFRA_CONTAINER_ID: containerId,
    K8S_POD_UID: uid,
  };
  return Object.entries(args)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))
    .join(';');
}

import { existsSync } from 'node:fs';
import type { PodReference } from '../cni/cni-args.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { waitForEndpointStatus } from './endpoint-status.ts';
import { MTU_FILE, readMtuBytes } from './mtu.ts';
import { readNodeName } from './node-name.ts';
import { waitForReadinessGates } from './readiness-gates.ts';

/** What the policy agent and the machine say about this node, and what ADD waits for. */
export interface Agent {
  /**
   * The MTU of both ends in bytes; `undefined`: the kernel's default.
   *
   * @throws {CniError} tryAgainLater (11) if the agent's file is required and missing, invalidConfig (7) if it is not usable
   */
  mtuBytes(): number | undefined;
  /** True if the agent has written one of its files on this node: its name or its MTU. */
  isPresent(): boolean;
  /**
   * The name of the Node object of this machine.
   *
   * @throws {CniError} invalidConfig (7) if nothing gives a name
   */
  nodeName(): string;
  /**
   * Waits until each URL of `readiness_gates` answers with a status of 2xx.
   *
   * @throws {CniError} tryAgainLater (11) naming the URL that does not
   */
  waitUntilReady(signal: AbortSignal): Promise<void>;
  /** Waits until the agent reports that the policy of a pod is in force. False if it has not within `timeoutMs`. */
  waitForPolicy(pod: PodReference, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

const AGENT_NODE_NAME_FILE = '/var/lib/calico/nodename';

/** The agent as a network configuration describes it. Nothing is read before it is needed. */
export function openAgent(config: NetworkConfig): Agent {
  return {
    mtuBytes: () => readMtuBytes(config),
    isPresent: () => [MTU_FILE, AGENT_NODE_NAME_FILE].some((path) => existsSync(path)),
    nodeName: () => readNodeName(config),
    waitUntilReady: (signal) => waitForReadinessGates(config.readinessGates, signal),
    waitForPolicy: (pod, timeoutMs, signal) =>
      waitForEndpointStatus(config.endpointStatusDirectory, pod, { timeoutMs, signal }),
  };
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { openCluster, type Cluster } from '../../src/cluster/cluster.ts';
import { NO_CONNECTION_SETTINGS } from '../../src/cluster/credentials/connection-settings.ts';
import type { ConnectionSettings } from '../../src/netconf/network-config.ts';
import { readConnection } from '../../src/cluster/credentials/connection.ts';
import { startLoopbackApi, type LoopbackApi, type LoopbackApiOptions } from '../lab/loopback-api/loopback-api.ts';
import { startDeadline, type Deadline } from '../../src/cluster/wire/deadline.ts';
import type { KubeconfigOptions } from '../lab/loopback-api/kubeconfig.ts';

/** A token that no message may contain. It has the form of a service account's JWT that expired in 2020. */
export const CANARY = [
  Buffer.from('{"alg":"RS256"}').toString('base64url'),
  Buffer.from('{"sub":"system:serviceaccount:kube-system:podwire","exp":1600000000}').toString('base64url'),
  'c2VjcmV0LWNhbmFyeS1zaWduYXR1cmU',
].join('.');

/** Connection settings that are absent, except for `overrides`. */
export function connectionSettings(overrides: Partial<ConnectionSettings> = {}): ConnectionSettings {
  return { ...NO_CONNECTION_SETTINGS, ...overrides };
}

/** Makes a temporary folder, which disposal deletes. */
export function makeFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'podwire-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export interface LoopbackCluster extends AsyncDisposable {
  readonly api: LoopbackApi;
  readonly cluster: Cluster;
  readonly kubeconfigPath: string;
  readonly logged: readonly string[];
}

/** An API server with the pod default/web and the node n1, a kubeconfig for it, and a cluster that uses it. */
export async function openLoopbackCluster(
  options: LoopbackApiOptions = {},
  kubeconfig: KubeconfigOptions = {},
  budgets = { apiConnectMs: 2000, apiRequestMs: 2000 },
): Promise<LoopbackCluster> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(makeFolder());
  const api = stack.use(await startLoopbackApi({ token: CANARY, nodes: [NODE], pods: [POD], ...options }));
  const kubeconfigPath = join(folder.path, 'kubeconfig');
  api.writeKubeconfig(kubeconfigPath, kubeconfig);
  const logged: string[] = [];
  const connect = () => readConnection(connectionSettings({ kubeconfigPath }), {});
  const cluster = stack.use(openCluster({ connect, budgets, log: { debug: (message) => logged.push(message) } }));
  const kept = stack.move();
  return { api, cluster, kubeconfigPath, logged, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Returns the error with which the promise is rejected. It must be a CniError. */
export async function rejectionOf(promise: Promise<unknown>): Promise<CniError> {
  const error = await promise.then(
    (value) => new Error(`resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof CniError) return error;
  throw error;
}

/** The cluster of a kubeconfig, with another server. */
export function clusterOf(kubeconfigPath: string, server: string): object {
  const config: { clusters: { cluster: object }[] } = JSON.parse(readFileSync(kubeconfigPath, 'utf8'));
  return { ...config.clusters[0]?.cluster, server };
}

/**
 * Expects that nothing that a person or a log sees contains a secret, or the words that containerd takes for success.
 */
export function expectClean(error: Error & { details: string }, logged: readonly string[]): void {
  const inspected = [inspect(error, { depth: 9 }), JSON.stringify(error), ...logged].join('\n');
  expect(inspected).not.toContain(CANARY);
  expect(inspected).not.toContain(CANARY.split('.')[2]);
  expect(`${error.message} ${error.details}`).not.toMatch(/not found/i);
}

/** A deadline that no test should reach. */
export const soon = (): Deadline => startDeadline(5000);

export const WEB = { namespace: 'default', name: 'web' };

const POD = {
  metadata: { name: 'web', namespace: 'default', uid: 'uid-1', annotations: { kept: 'yes' }, labels: { app: 'web' } },
  spec: { nodeName: 'n1', serviceAccountName: 'default' },
  status: { phase: 'Pending' },
};

const NODE = { metadata: { name: 'n1' }, spec: { podCIDRs: ['fd71::/64', '10.71.0.0/24'] } };

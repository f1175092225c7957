import { existsSync } from 'node:fs';
import type { Environment } from '../../cni/environment.ts';
import type { RuntimeFacts, Seen } from '../../diagnosis/facts.ts';
import { messageOf } from '../../system/error-text.ts';
import type { NodeFiles } from './node-files.ts';

/** Where runtimes listen: containerd, CRI-O, k3s and RKE2, MicroK8s. */
const SOCKETS = [
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/k3s/containerd/containerd.sock',
  '/var/snap/microk8s/common/run/containerd.sock',
];

/**
 * The socket of the container runtime: the one of CONTAINER_RUNTIME_ENDPOINT, which crictl reads too, otherwise the first
 * that exists. `undefined` if none of them exists.
 */
export function findRuntimeSocket(environment: Environment, files: NodeFiles): string | undefined {
  const configured = environment['CONTAINER_RUNTIME_ENDPOINT'] ?? '';
  if (configured !== '') return configured.replace(/^unix:\/\//, '');
  return SOCKETS.map((path) => files.at(path)).find((path) => existsSync(path));
}

/** Asks the container runtime for its folders and its sandboxes. */
export async function observeRuntime(socket: string | undefined, timeoutMs: number): Promise<Seen<RuntimeFacts>> {
  if (socket === undefined)
    return { kind: 'unseen', why: 'the socket of the container runtime is not visible here: run this on the node' };
  const { openCriClient } = await import('../../cri/cri-client.ts');
  using client = openCriClient(socket, timeoutMs);
  try {
    const { name, folders } = await client.identify();
    const sandboxes = await client.listSandboxes();
    return { kind: 'seen', value: { name, folders, sandboxIds: sandboxes.map(({ id }) => id) } };
  } catch (error) {
    return { kind: 'unseen', why: `the container runtime at ${socket} does not answer: ${messageOf(error)}` };
  }
}

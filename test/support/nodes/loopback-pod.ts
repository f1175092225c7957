import { hash } from 'node:crypto';
import type { LoopbackCall, LoopbackNode } from './loopback-node.ts';
import { NODE_NAME } from './loopback-node.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';

/** A pod of a loopback node, in the API and as a sandbox, not yet attached. */
export interface LoopbackPod extends AsyncDisposable {
  readonly name: string;
  readonly containerId: string;
  readonly sandbox: Sandbox;
  /** What a runtime says of it in every call. */
  readonly call: Pick<LoopbackCall, 'sandboxPath' | 'containerId' | 'pod'>;
  readonly hostInterface: string;
  /** As a runtime names it in GC's list of what is valid. */
  readonly valid: { readonly containerID: string; readonly ifname: string };
  /** Those that name a container of the pod, without their prefix. Empty: its endpoint is cleared, or was never written. */
  endpoint(): Readonly<Record<string, string>>;
}

const PREFIX = 'cni.projectcalico.org/';

/** Makes a pod and its sandbox; both are gone when it is disposed of. */
export async function makeLoopbackPod({ api }: Pick<LoopbackNode, 'api'>, name: string): Promise<LoopbackPod> {
  const [namespace, uid, containerId] = ['default', `uid-${name}`, `id-${name}`];
  api.putPod({ metadata: { namespace, name, uid }, spec: { nodeName: NODE_NAME } });
  const sandbox = await makeSandbox();
  return {
    name,
    containerId,
    sandbox,
    call: { sandboxPath: sandbox.path, containerId, pod: { namespace, name, uid } },
    hostInterface: `cali${hash('sha1', `${namespace}.${name}`).slice(0, 11)}`,
    valid: { containerID: containerId, ifname: 'eth0' },
    endpoint() {
      const annotations = api.pod(namespace, name)?.metadata.annotations ?? {};
      if ((annotations[`${PREFIX}podIP`] ?? '') === '') return {};
      return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key.replace(PREFIX, ''), value]));
    },
    async [Symbol.asyncDispose]() {
      await sandbox.remove();
      api.deletePod(namespace, name);
    },
  };
}

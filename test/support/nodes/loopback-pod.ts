import type { RuntimePod } from '../../lab/runtime-call.ts';
import { hostInterfaceName } from '../../lab/host-interface-name.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { NODE_NAME, type LoopbackNode } from './loopback-node.ts';
import type { NodeCall } from './test-node.ts';
import { ANNOTATION } from './node-state.ts';

/** A pod of a loopback node, in the API and as a sandbox, not yet attached. */
export interface LoopbackPod extends AsyncDisposable {
  readonly name: string;
  readonly containerId: string;
  readonly sandbox: Sandbox;
  /** What a runtime says of it in every call. */
  readonly call: Pick<NodeCall, 'sandboxPath' | 'containerId'> & { readonly pod: RuntimePod };
  readonly hostInterface: string;
  /** As a runtime names it in GC's list of what is valid. */
  readonly valid: { readonly containerID: string; readonly ifname: string };
  /** Its annotations, without Calico's prefix. Empty: its endpoint is cleared, or was never written. */
  endpoint(): Readonly<Record<string, string>>;
}

/** Makes a pod and its sandbox; both are gone when it is disposed of. */
export async function makeLoopbackPod({ api }: Pick<LoopbackNode, 'api'>, name: string): Promise<LoopbackPod> {
  const namespace = 'default';
  const uid = `uid-${name}`;
  const containerId = `id-${name}`;
  api.putPod({ metadata: { namespace, name, uid }, spec: { nodeName: NODE_NAME } });
  const sandbox = await makeSandbox();
  return {
    name,
    containerId,
    sandbox,
    call: { sandboxPath: sandbox.path, containerId, pod: { namespace, name, uid } },
    hostInterface: hostInterfaceName({ name }),
    valid: { containerID: containerId, ifname: 'eth0' },
    endpoint() {
      const annotations = api.pod(namespace, name)?.metadata.annotations ?? {};
      if ((annotations[`${ANNOTATION}podIP`] ?? '') === '') return {};
      return Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [key.replace(ANNOTATION, ''), value]),
      );
    },
    async [Symbol.asyncDispose]() {
      await sandbox.remove();
      api.deletePod(namespace, name);
    },
  };
}

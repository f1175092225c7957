import type { RuntimePod } from '../../lab/runtime-call.ts';
import { hostInterfaceName } from '../../lab/host-interface-name.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { NODE_NAME, type LoopbackNode } from './loopback-node.ts';
import type { NodeCall } from './test-node.ts';
import { ANNOTATION } from './node-state.ts';

/** A pod of a loopback node that has a Pod object and a sandbox, and is not attached yet. */
export interface LoopbackPod extends AsyncDisposable {
  readonly name: string;
  readonly containerId: string;
  readonly sandbox: Sandbox;
  /** The members of every call of a runtime for this pod. */
  readonly call: Pick<NodeCall, 'sandboxPath' | 'containerId'> & { readonly pod: RuntimePod };
  readonly hostInterface: string;
  /** Its entry in the list of valid attachments that a runtime passes to GC. */
  readonly valid: { readonly containerID: string; readonly ifname: string };
  /** Its endpoint's annotations, without Calico's prefix. Empty if the endpoint was cleared or never written. */
  endpoint(): Readonly<Record<string, string>>;
}

/** Creates a pod and its sandbox. Disposing removes both. */
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

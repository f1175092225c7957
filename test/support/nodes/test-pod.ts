import { member, textMembers } from '../../lab/member.ts';
import { hostInterfaceName } from '../../lab/host-interface-name.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { addressByFamily, type ResultAddresses } from '../../lab/result-addresses.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { RuntimePod } from '../../lab/runtime-call.ts';
import type { ApiServerNode } from './api-server-node.ts';
import type { NodeCall } from './test-node.ts';

export interface TestPodOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pod of a node with a real API server that has a Pod object and a sandbox, and is not attached yet. */
export interface TestPod extends AsyncDisposable {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly sandbox: Sandbox;
  /** The members of every call of a runtime for this pod. */
  readonly call: Pick<NodeCall, 'sandboxPath' | 'containerId'> & { readonly pod: RuntimePod };
  readonly hostInterface: string;
  readonly annotations: () => Promise<Readonly<Record<string, string>>>;
}

/** Creates a pod with a sandbox. Disposing removes both; the pod must be detached before. */
export async function makeTestPod(node: ApiServerNode, options: TestPodOptions = {}): Promise<TestPod> {
  await using made = new AsyncDisposableStack();
  const { namespace = 'default', name = 'pod-1', annotations = {} } = options;
  const { admin } = node.cluster;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const { uid } = await node.cluster.createPod(namespace, name, { nodeName: node.name, annotations });
  made.defer(async () => {
    await admin.delete(`${path}?gracePeriodSeconds=0`);
  });
  const sandbox = made.use(await makeSandbox());
  await sandbox.ip('link', 'set', 'lo', 'up'); // a runtime does this with the plugin loopback
  const pods = made.move();
  return {
    namespace,
    name,
    uid,
    sandbox,
    call: { sandboxPath: sandbox.path, containerId: `id-${name}`, pod: { namespace, name, uid } },
    hostInterface: hostInterfaceName({ namespace, name }),
    annotations: async () => textMembers(member(await admin.get(path), 'metadata', 'annotations')),
    [Symbol.asyncDispose]: () => pods.disposeAsync(),
  };
}

/** An attached pod. Disposing detaches it, which must succeed, and removes it. */
export interface AttachedPod extends TestPod, ResultAddresses {
  readonly added: EndedExecutable;
}

/** @throws {Error} with the error result, if ADD fails */
export async function attachPod(
  node: ApiServerNode,
  { config = node.netconf(), within = [], ...options }: TestPodOptions & Pick<NodeCall, 'config' | 'within'> = {},
): Promise<AttachedPod> {
  await using made = new AsyncDisposableStack();
  const pod = made.use(await makeTestPod(node, options));
  const call = { ...pod.call, config, within };
  made.defer(async () => void (await succeed(node, { ...call, verb: 'DEL' })));
  const added = await succeed(node, { ...call, verb: 'ADD' });
  const attached = made.move();
  return {
    ...pod,
    added,
    ...addressByFamily(added.answer),
    [Symbol.asyncDispose]: () => attached.disposeAsync(),
  };
}

async function succeed(node: ApiServerNode, call: NodeCall): Promise<EndedExecutable> {
  const ended = await node.run(call);
  if (ended.exitCode !== 0) throw new Error(`${call.verb} failed: ${JSON.stringify(ended)}`);
  return ended;
}

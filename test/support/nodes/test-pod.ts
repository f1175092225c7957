import { hash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { pick, type PluginAnswer, type PluginCall, type PluginNode } from './api-server-node.ts';

export interface TestPodOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A pod of a node, in the API and as a sandbox, not yet attached. */
export interface TestPod extends AsyncDisposable {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly sandbox: Sandbox;
  /** What a runtime says of it in every call. */
  readonly call: Pick<PluginCall, 'sandboxPath' | 'containerId'> & { readonly pod: NonNullable<PluginCall['pod']> };
  /** The name that the agent computes for the host interface of its eth0. */
  readonly hostInterface: string;
  readonly annotations: () => Promise<Readonly<Record<string, string>>>;
}

/** A test's pod, with a sandbox; both are gone when it is disposed of. Detach it before. */
export async function makeTestPod(node: PluginNode, options: TestPodOptions = {}): Promise<TestPod> {
  await using made = new AsyncDisposableStack();
  const { namespace = 'default', name = 'pod-1', annotations = {} } = options;
  const { admin } = node.cluster;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const { uid } = await node.cluster.createPod(namespace, name, { nodeName: node.name, annotations });
  made.defer(async () => {
    await admin.delete(`${path}?gracePeriodSeconds=0`);
  });
  const sandbox = made.use(await makeSandbox());
  await sandbox.ip('link', 'set', 'lo', 'up'); // a runtime does, by the plugin loopback
  const pods = made.move();
  return {
    namespace,
    name,
    uid,
    sandbox,
    call: { sandboxPath: sandbox.path, containerId: `id-${name}`, pod: { namespace, name, uid } },
    hostInterface: `cali${hash('sha1', `${namespace}.${name}`).slice(0, 11)}`,
    annotations: async () => textsIn(member(await admin.get(path), 'metadata', 'annotations')),
    [Symbol.asyncDispose]: () => pods.disposeAsync(),
  };
}

/** A pod that has been attached. Disposing of it detaches it, which must succeed, and removes it. */
export interface AttachedPod extends TestPod {
  readonly added: PluginAnswer;
  /** Without their prefix length. */
  readonly ipv4: string;
  readonly ipv6: string;
}

/** @throws {Error} with the error result, if ADD fails */
export async function attachPod(
  node: PluginNode,
  { config = node.netconf(), ...options }: TestPodOptions & { readonly config?: JsonObject } = {},
): Promise<AttachedPod> {
  await using made = new AsyncDisposableStack();
  const pod = made.use(await makeTestPod(node, options));
  const call = { ...pod.call, config };
  made.defer(() => succeed(node, { ...call, verb: 'DEL' }).then(() => undefined));
  const added = await succeed(node, { ...call, verb: 'ADD' });
  const addresses = addressesIn(added.answer);
  const attached = made.move();
  return {
    ...pod,
    added,
    ipv4: addresses.find((address) => !address.includes(':')) ?? '',
    ipv6: addresses.find((address) => address.includes(':')) ?? '',
    [Symbol.asyncDispose]: () => attached.disposeAsync(),
  };
}

/** The addresses of a result of 0.3.0 or newer, without their prefix length. */
export function addressesIn(result: JsonObject | undefined): readonly string[] {
  const ips: unknown = result?.['ips'];
  return Array.isArray(ips) ? ips.map((ip) => pick(ip, 'address').replace(/\/\d+$/, '')) : [];
}

/** A member of what came from outside, `undefined` where there is none. */
export function member(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => (isJsonObject(inner) ? inner[key] : undefined), value);
}

async function succeed(node: PluginNode, call: PluginCall): Promise<PluginAnswer> {
  const answer = await node.call(call);
  if (answer.exitCode !== 0) throw new Error(`${call.verb} failed: ${JSON.stringify(answer)}`);
  return answer;
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  const keys = isJsonObject(value) ? Object.keys(value) : [];
  return Object.fromEntries(keys.map((key) => [key, pick(value, key)]));
}

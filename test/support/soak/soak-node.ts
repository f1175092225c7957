import { readFile } from 'node:fs/promises';
import type { JsonObject } from '../../../src/json/json.ts';
import { hostInterfaceName } from '../../lab/host-interface-name.ts';
import { makeBoot, type Boot } from '../nodes/boot.ts';
import { NODE_NAME, startLoopbackNode } from '../nodes/loopback-node.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { EndedExecutable } from '../../lab/run-executable.ts';
import type { Operation, SoakModel } from './soak-model.ts';
import { killPointsOf, runKilledAt, type KillPoint } from '../kills/system-call-kill.ts';
import { until } from '../../lab/until.ts';
import { ANNOTATION } from '../nodes/node-state.ts';
import type { NodeCall } from '../nodes/test-node.ts';

/**
 * The observable state of a node: host interfaces, the containers of its leases, records, and the container of each
 * pod's endpoint.
 */
export interface SeenNode {
  readonly links: readonly string[];
  readonly leases: readonly string[];
  readonly records: readonly string[];
  readonly endpoints: readonly string[];
}

/** A real node on which operations are carried out. */
export interface SoakNode extends AsyncDisposable {
  /** Performs an operation, and returns the code that the command ended with, 0 for success. */
  carryOut(operation: Operation): Promise<number>;
  observe(): Promise<SeenNode>;
}

interface RealContainer {
  readonly sandbox: Sandbox;
  readonly call: Omit<NodeCall, 'verb'>;
  readonly result: JsonObject;
}

/** Starts a node with these pods. */
export async function startSoakNode(pods: readonly string[]): Promise<SoakNode> {
  await using started = new AsyncDisposableStack();
  const node = started.use(await startLoopbackNode());
  const containers = new Map<string, RealContainer>();
  started.defer(async () => {
    for (const { sandbox } of containers.values()) await sandbox.remove();
  });
  const config = (overrides: JsonObject = {}) => node.netconf({ cniVersion: '1.1.0', ...overrides });
  const generations = new Map(pods.map((pod) => [pod, 0]));
  const uidOf = (pod: string) => `uid-${pod}-${generations.get(pod) ?? 0}`;
  const putPod = (pod: string) =>
    node.api.putPod({ metadata: { namespace: 'default', name: pod, uid: uidOf(pod) }, spec: { nodeName: NODE_NAME } });
  pods.forEach(putPod);
  let boot: Boot = makeBoot(node.folder);

  const callOf = (pod: string, id: string, sandboxPath = ''): Omit<NodeCall, 'verb'> => ({
    config: config(),
    containerId: id,
    sandboxPath,
    pod: { namespace: 'default', name: pod, uid: uidOf(pod) },
  });
  const run = (verb: string, call: Omit<NodeCall, 'verb'>) => node.run({ verb, ...call, within: boot.within });
  const bare = (id: string) => ({ config: config(), containerId: id, environment: { CNI_ARGS: undefined } });
  const collect = (valid: readonly string[]) =>
    run('GC', {
      config: config({ 'cni.dev/valid-attachments': valid.map((containerID) => ({ containerID, ifname: 'eth0' })) }),
    });
  const forget = async (id: string): Promise<void> => {
    await containers.get(id)?.sandbox.remove();
    containers.delete(id);
  };
  const known = (id: string): RealContainer => {
    const found = containers.get(id);
    if (found === undefined) throw new Error(`no container ${id}`);
    return found;
  };
  const finish = async (how: 'DEL' | 'GC', id: string, call: Omit<NodeCall, 'verb'>): Promise<number> => {
    const others = [...containers.keys()].filter((other) => other !== id);
    const code = codeOf(how === 'DEL' ? await run('DEL', call) : await collect(others));
    await forget(id);
    return code;
  };

  const add = async (pod: string, id: string): Promise<number> => {
    const sandbox = await makeSandbox();
    const call = callOf(pod, id, sandbox.path);
    const ended = await run('ADD', call);
    if (ended.exitCode === 0) containers.set(id, { sandbox, call, result: ended.answer ?? {} });
    else await sandbox.remove();
    return codeOf(ended);
  };

  // Recorded once: the points at which a command can be killed.
  const points = new Map<'ADD' | 'DEL', readonly KillPoint[]>();
  for (const verb of ['ADD', 'DEL'] as const) {
    const sandbox = await makeSandbox();
    const call = callOf(pods[0] ?? '', `first-${verb}`, sandbox.path);
    await run('ADD', call); // the first one unpacks and sweeps
    if (verb === 'ADD') await run('DEL', call);
    points.set(verb, await killPointsOf(node, { verb, ...call, within: boot.within }));
    await run('DEL', call);
    await sandbox.remove();
  }
  const killAt = async (verb: 'ADD' | 'DEL', call: Omit<NodeCall, 'verb'>, at: number): Promise<void> => {
    const all = points.get(verb) ?? [];
    const point = all[Math.floor((at * all.length) / 1000)];
    if (point !== undefined) await runKilledAt(node, { verb, ...call, within: boot.within }, point);
  };

  const running = started.move();
  return {
    async carryOut(operation) {
      switch (operation.kind) {
        case 'ADD':
          return add(operation.pod, operation.id);
        case 'ADD again':
          return codeOf(await run('ADD', known(operation.id).call));
        case 'CHECK': {
          const { call, result } = known(operation.id);
          return codeOf(await run('CHECK', { ...call, config: config({ prevResult: result }) }));
        }
        case 'DEL': {
          const { call, sandbox } = known(operation.id);
          if (operation.how === 'gone') await sandbox.remove();
          const code = codeOf(await run('DEL', operation.how === 'bare' ? bare(operation.id) : call));
          await forget(operation.id);
          return code;
        }
        case 'DEL of none':
          return codeOf(
            await run('DEL', operation.how === 'bare' ? bare(operation.id) : callOf(operation.pod, operation.id)),
          );
        case 'GC': {
          const code = codeOf(await collect(operation.valid));
          for (const id of containers.keys()) if (!operation.valid.includes(id)) await forget(id);
          return code;
        }
        case 'killed ADD': {
          const sandbox = await makeSandbox();
          const call = callOf(operation.pod, operation.id, sandbox.path);
          containers.set(operation.id, { sandbox, call, result: {} });
          await killAt('ADD', call, operation.at);
          return finish(operation.finish, operation.id, call);
        }
        case 'killed DEL': {
          const { call } = known(operation.id);
          await killAt('DEL', call, operation.at);
          return finish(operation.finish, operation.id, call);
        }
        case 'new pod':
          generations.set(operation.pod, (generations.get(operation.pod) ?? 0) + 1);
          putPod(operation.pod);
          return 0;
        case 'API off':
          await node.api.setFault({ kind: 'refuse' });
          return 0;
        case 'API on':
          await node.api.setFault(undefined);
          return 0;
        case 'reboot':
          boot = makeBoot(node.folder);
          for (const { sandbox } of containers.values()) await sandbox.remove();
          await until('links go with their sandboxes', async () => (await seeLinks()).length === 0);
          return 0;
        default:
          return operation satisfies never;
      }
    },
    async observe() {
      const { records } = await node.state();
      const leases = (await node.leases()).map((lease) => lease.split(' ')[1] ?? '');
      const endpoints = pods.flatMap((pod) => {
        const annotations = node.api.pod('default', pod)?.metadata.annotations ?? {};
        return (annotations[`${ANNOTATION}podIP`] ?? '') === ''
          ? []
          : [`${pod} ${annotations[`${ANNOTATION}containerID`]}`];
      });
      return {
        links: await seeLinks(),
        leases: leases.toSorted(),
        records,
        endpoints: endpoints.toSorted(),
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The observable state that the model predicts. */
export function expectedNode({ containers, pending, endpoints }: SoakModel): SeenNode {
  const ids = [...containers.keys()];
  const attached = [...containers.values()].filter(({ stage }) => stage === 'attached');
  return {
    links: attached.map(({ pod }) => hostInterfaceName({ name: pod })).toSorted(),
    leases: ids.flatMap((id) => [id, id]).toSorted(),
    records: [
      ...ids.map((id) => `${id}@eth0.record.json`),
      ...[...pending].map((id) => `${id}@eth0.endpoint.json`),
    ].toSorted(),
    endpoints: [...endpoints].map(([pod, id]) => `${pod} ${id}`).toSorted(),
  };
}

async function seeLinks(): Promise<readonly string[]> {
  const table = await readFile('/proc/self/net/dev', 'utf8');
  return [...table.matchAll(/^ *(cali\w+):/gm)].map(([, name]) => name ?? '').toSorted();
}

function codeOf({ exitCode, answer, stderr }: EndedExecutable): number {
  if (exitCode === 0) return 0;
  const code = answer?.['code'];
  if (typeof code !== 'number') throw new Error(`ended with ${exitCode}: ${stderr}`);
  return code;
}

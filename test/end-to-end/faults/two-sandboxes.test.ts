import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { memberText } from '../../lab/member.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { LoopbackNode } from '../../support/nodes/loopback-node.ts';
import { pauseAtPolicy, pauseInDelegate, type Pause } from '../../support/nodes/paused-add.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** The pod default/web in two sandboxes: the old one is attached first, then the new one, which lives. */
async function attachBoth(later: Sandbox) {
  const old = { sandboxPath: sandbox.path, containerId: 'old' };
  const living = { sandboxPath: later.path, containerId: 'living' };
  const first = await node.run({ verb: 'ADD', ...old });
  expect(first).toMatchObject({ exitCode: 0 });
  expect(await node.run({ verb: 'ADD', ...living })).toMatchObject({ exitCode: 0 });
  const { records, leases, ...attached } = await node.state();
  const ofLiving = (texts: readonly string[]) => texts.filter((text) => !/\bold\b/.test(text));
  return {
    old,
    living,
    prevResult: first.answer ?? {},
    /** What the node has when nothing but the living one is attached. */
    alone: { ...attached, records: ofLiving(records), leases: ofLiving(leases) },
  };
}

const withPrevResult = (prevResult: JsonObject) => node.netconf({ prevResult });
const succeed = async (call: Parameters<LoopbackNode['run']>[0]) =>
  expect(await node.run(call)).toMatchObject({ exitCode: 0 });

describe('of two sandboxes of one pod, the living one keeps interface, routes, lease and endpoint', () => {
  type Both = Awaited<ReturnType<typeof attachBoth>>;
  const ORDERS: readonly (readonly [string, (both: Both) => Promise<void>])[] = [
    ['DEL of the old one', ({ old }) => succeed({ verb: 'DEL', ...old })],
    [
      'DEL with prevResult',
      ({ old, prevResult }) => succeed({ verb: 'DEL', ...old, config: withPrevResult(prevResult) }),
    ],
    ['DEL without a sandbox', ({ old }) => succeed({ verb: 'DEL', ...old, sandboxPath: '' })],
    [
      'DEL with prevResult and without a sandbox',
      ({ old, prevResult }) => succeed({ verb: 'DEL', ...old, sandboxPath: '', config: withPrevResult(prevResult) }),
    ],
    [
      'DEL of the old one twice',
      async ({ old, prevResult }) => {
        await succeed({ verb: 'DEL', ...old });
        await succeed({ verb: 'DEL', ...old, config: withPrevResult(prevResult) });
      },
    ],
    [
      'GC in which only the new one is valid',
      () => {
        const valid = [{ containerID: 'living', ifname: 'eth0' }];
        return succeed({
          verb: 'GC',
          config: node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid }),
        });
      },
    ],
  ];
  it.each(ORDERS)('after %s', async (_, act) => {
    await using later = await makeSandbox();
    const both = await attachBoth(later);
    await act(both);
    expect(await node.state()).toEqual(both.alone);
    expect(await later.ip('link', 'show', 'dev', 'eth0')).toHaveLength(1);
    await succeed({ verb: 'DEL', ...both.living });
    expect(await node.state()).toEqual(before);
  });

  it('and nothing is left after the DEL of the new one, then that of the old one', async () => {
    await using later = await makeSandbox();
    const { old, living, prevResult } = await attachBoth(later);
    await succeed({ verb: 'DEL', ...living });
    await succeed({ verb: 'DEL', ...old, config: withPrevResult(prevResult) });
    expect(await node.state()).toEqual(before);
  });

  const PAUSES: readonly (readonly [string, Pause])[] = [
    ['before it created an interface', pauseInDelegate('after')],
    ['after it wrote the endpoint', pauseAtPolicy],
  ];
  it.each(PAUSES)('even if the ADD of the old one was killed %s and the new one has no alias yet', async (_, pause) => {
    await using later = await makeSandbox();
    const living = { sandboxPath: later.path, containerId: 'living' };
    const { running } = await pause(node, sandbox.path);
    running.process.kill('SIGKILL');
    await running.ended;
    await succeed({ verb: 'ADD', ...living });
    const isNew = (line: string) => !before.links.includes(line);
    const host = hostNamespace();
    const name = (await node.state()).links.find(isNew)?.split(' ')[1] ?? '';
    const alias = memberText((await host.ip('link', 'show', 'dev', name))[0], 'ifalias');
    await host.exec('ip', 'link', 'set', name, 'alias', '');
    const { links, routes, endpoints } = await node.state();
    await succeed({ verb: 'DEL', sandboxPath: sandbox.path });
    expect(await node.state()).toMatchObject({ links, routes, endpoints });
    expect(await node.leases()).toHaveLength(2);
    await host.exec('ip', 'link', 'set', name, 'alias', alias);
    await succeed({ verb: 'DEL', ...living });
    expect(await node.state()).toEqual(before);
  });
});

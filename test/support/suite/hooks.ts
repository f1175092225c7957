import { deepStrictEqual } from 'node:assert/strict';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { putWeb, startLoopbackNode, type LoopbackNode } from '../nodes/loopback-node.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { TestNode } from '../nodes/test-node.ts';

/** Makes something before the tests of a file or a `describe`, and disposes of it after them, in reverse order. */
export function useForAllTests(make: () => Promise<AsyncDisposable>): void {
  beforeAll(async () => {
    const made = await make();
    return () => made[Symbol.asyncDispose]();
  });
}

/** The state at the beginning of a test. */
interface Fresh {
  readonly node: LoopbackNode;
  readonly sandbox: Sandbox;
  /** The node's state. */
  readonly before: NodeState;
}

/** Each test of the file begins with a new sandbox, on a node with a working API server and a new pod default/web. */
export function startFresh(begin: (fresh: Fresh) => void): void {
  let node: LoopbackNode;
  useForAllTests(async () => (node = await startLoopbackNode()));
  beforeEach(async () => {
    await repair(node);
    putWeb(node.api);
    const before = await node.state();
    const sandbox = await makeSandbox();
    begin({ node, sandbox, before });
    return async () => {
      await sandbox[Symbol.asyncDispose]();
      await repair(node);
      await node.run({ verb: 'DEL' }); // what a failed test has left must not affect the next test
    };
  });
}

/** Checks after each test of the file that the node is unchanged. */
export function expectNoLeftovers(node: () => Pick<TestNode, 'state'>): void {
  let before: NodeState;
  beforeEach(async () => {
    before = await node().state();
  });
  afterEach(async () => deepStrictEqual(await node().state(), before));
}

async function repair({ api, kubeconfigPath }: LoopbackNode): Promise<void> {
  await api.setFault(undefined);
  api.forbid(undefined);
  api.writeKubeconfig(kubeconfigPath);
}

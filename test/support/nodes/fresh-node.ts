import { beforeEach } from 'vitest';
import { useForAllTests } from '../suite/for-all-tests.ts';
import { putWeb, startLoopbackNode, type LoopbackNode } from './loopback-node.ts';
import { makeSandbox, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import type { NodeState } from './node-state.ts';

/** What a test begins with. */
interface Fresh {
  readonly node: LoopbackNode;
  readonly sandbox: Sandbox;
  /** The node's state. */
  readonly before: NodeState;
}

/** Each test of the file begins with a sandbox of its own, on a node whose API server works and has the pod default/web as new. */
export function startFresh(begin: (fresh: Fresh) => void): void {
  let node: LoopbackNode;
  useForAllTests(async () => (node = await startLoopbackNode()));
  beforeEach(async () => {
    await mend(node);
    putWeb(node.api);
    const before = await node.state();
    const sandbox = await makeSandbox();
    begin({ node, sandbox, before });
    return async () => {
      await sandbox[Symbol.asyncDispose]();
      await mend(node);
      await node.run({ verb: 'DEL' }); // what a failed test has left is not the next one's
    };
  });
}

async function mend({ api, kubeconfigPath }: LoopbackNode): Promise<void> {
  await api.setFault(undefined);
  api.forbid(undefined);
  api.writeKubeconfig(kubeconfigPath);
}

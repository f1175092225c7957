import { deepStrictEqual } from 'node:assert/strict';
import { afterEach, beforeEach } from 'vitest';
import type { ApiServerNode } from '../nodes/api-server-node.ts';
import type { NodeState } from '../nodes/node-state.ts';

/** Each test of the file leaves the node as it was: no interface, no route, no lease more or less. */
export function expectNoLeftovers(node: () => Pick<ApiServerNode, 'state'>): void {
  let before: NodeState;
  beforeEach(async () => {
    before = await node().state();
  });
  afterEach(async () => deepStrictEqual(await node().state(), before));
}

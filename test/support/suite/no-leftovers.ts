import { deepStrictEqual } from 'node:assert/strict';
import { afterEach, beforeEach } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import type { PluginNode } from '../nodes/api-server-node.ts';

/** Each test of the file leaves the node as it was: no interface, no route, no lease more or less. */
export function expectNoLeftovers(node: () => Pick<PluginNode, 'state'>): void {
  let before: JsonObject;
  beforeEach(async () => {
    before = await node().state();
  });
  afterEach(async () => deepStrictEqual(await node().state(), before));
}

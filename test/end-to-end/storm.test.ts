import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordNames } from '../support/journal-records.ts';
import { hostNamespace } from '../support/network-namespace.ts';
import { startPluginNode, type PluginAnswer, type PluginNode } from '../support/plugin-node.ts';
import { recordFigure } from '../support/reliability-figure.ts';
import { addressesIn, makeTestPod, type TestPod } from '../support/test-pod.ts';

const PODS = 300;
const PREPARED_AT_ONCE = 12;
const STORM_MS = 240_000;

let node: PluginNode;
let pods: readonly TestPod[];
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  node = stack.use(await startPluginNode({ podCIDRs: ['10.71.0.0/22', 'fd71::/64'] }));
  const made: TestPod[] = [];
  let next = 0;
  const makePods = async (): Promise<void> => {
    for (let index = next++; index < PODS; index = next++) {
      made.push(stack.use(await makeTestPod(node, { name: `storm-${index}` })));
    }
  };
  await Promise.all(Array.from({ length: PREPARED_AT_ONCE }, makePods));
  pods = made;
}, STORM_MS);
afterAll(() => stack.disposeAsync(), STORM_MS);

const config = () => node.netconf({ ipam: { ranges: [[{ subnet: 'usePodCidrIPv6' }]] } });
const failures = (answers: readonly PluginAnswer[]) =>
  answers.filter(({ exitCode }) => exitCode !== 0).map(({ answer, stderr }) => answer?.['msg'] ?? stderr);

describe(`${PODS} pods of one node`, () => {
  it(
    'attached all at once get an address each, and detached all at once leave nothing',
    async ({ task }) => {
      const before = await node.state();
      const netconf = config();
      const t0 = performance.now();
      const added = await Promise.all(pods.map(({ call }) => node.call({ ...call, verb: 'ADD', config: netconf })));
      const t1 = performance.now();
      process.stderr.write(`ADD ${t1 - t0}\n`);
      const fs = failures(added);
      const hist = new Map<string, number>();
      for (const f of fs)
        hist.set(String(f).replaceAll(/storm-\d+/g, 'X'), (hist.get(String(f).replaceAll(/storm-\d+/g, 'X')) ?? 0) + 1);
      process.stderr.write(`${JSON.stringify([...hist], undefined, 1)}\n`);
      const addresses = added.flatMap(({ answer }) => addressesIn(answer));
      const deleted = await Promise.all(pods.map(({ call }) => node.call({ ...call, verb: 'DEL', config: netconf })));
      process.stderr.write(`DEL ${performance.now() - t1}\n`);
      expect(failures(deleted)).toEqual([]);
      const warned = deleted.filter(({ stderr }) => stderr !== '').map(({ stderr }) => stderr);
      process.stderr.write(`${warned.length} ${warned[0]}\n`);
      expect(failures(added)).toEqual([]);
      expect(new Set(addresses).size).toBe(2 * PODS);
      expect(await node.state()).toEqual(before);
      void [hostNamespace, recordNames, writeFile, join, recordFigure, task];
    },
    STORM_MS,
  );
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { expectedNode, startSoakNode, type SoakNode } from '../support/soak/soak-node.ts';
import { until } from '../lab/until.ts';
import { chooseOperation, predict, makeModel, type Operation, makeRandom } from '../support/soak/soak-model.ts';

// `npm run soak` runs more, and accepts a seed to repeat a failure.
const OPERATIONS = Number(process.env['PODWIRE_SOAK_OPERATIONS'] ?? 200);
const SEED = Number(process.env['PODWIRE_SOAK_SEED'] ?? Date.now() % 1_000_000);
const PODS = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];
const SHOWN = 25;

let node: SoakNode;
beforeAll(async () => {
  node = await startSoakNode(PODS);
});
afterAll(() => node[Symbol.asyncDispose]());

it(
  `after each of ${OPERATIONS} random operations the node is what a model says (seed ${SEED})`,
  { timeout: 60_000 + 5000 * OPERATIONS },
  async ({ task }) => {
    const random = makeRandom(SEED);
    const model = makeModel(PODS);
    const done: Operation[] = [];
    const counts = new Map<string, number>();
    const step = async (operation: Operation): Promise<void> => {
      done.push(operation);
      counts.set(operation.kind, (counts.get(operation.kind) ?? 0) + 1);
      const story = () =>
        done.slice(-SHOWN).map((one, index, shown) => `${done.length - shown.length + index} ${JSON.stringify(one)}`);
      const predicted = predict(model, operation);
      expect(await node.carryOut(operation), `code of the last of\n${story().join('\n')}\n`).toBe(predicted);
      const expected = expectedNode(model);
      // The kernel deletes the link of a removed sandbox a moment later.
      await until('as predicted', async () => JSON.stringify(await node.observe()) === JSON.stringify(expected)).catch(
        () => undefined,
      );
      expect(await node.observe(), `after the last of\n${story().join('\n')}\n`).toEqual(expected);
    };
    for (let index = 0; index < OPERATIONS; index++) await step(chooseOperation(model, random, `c${index}`));
    if (!model.isApiUp) await step({ kind: 'API on' });
    await step({ kind: 'GC', valid: [] });
    expect(await node.observe()).toEqual({ links: [], leases: [], records: [], endpoints: [] });
    const told = [...counts]
      .map(([kind, count]) => `${count} ${kind}`)
      .toSorted()
      .join(', ');
    recordFigure(task, {
      fault: 'anything in any order, killed commands, API outages and reboots among it',
      promise: 'interfaces, leases, records and endpoints are what they should be, each time',
      measured: `${done.length} operations (${told}), 0 differences`,
    });
  },
);

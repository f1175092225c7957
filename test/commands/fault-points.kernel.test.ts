import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WrapEffects } from '../support/commands/effects.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { failingAt, recordingPoints, type Moment, type Point } from '../support/commands/effects-points.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

const LOOP_MS = 180_000;

let node: CommandNode;
let sandbox: Sandbox;
let containers = 0;
beforeAll(async () => {
  node = await startCommandNode(2);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  sandbox = await makeSandbox();
  return () => sandbox[Symbol.asyncDispose]();
});

/** Makes another container for each fault, so that what one fault leaves does not hide the effect of the next. */
interface Calls {
  readonly containerId: string;
  readonly add: CommandCall;
  readonly del: CommandCall;
}
function aContainer(): Calls {
  const containerId = `c${++containers}`;
  const on = { containerId, sandboxPath: sandbox.path };
  return { containerId, add: { verb: 'ADD', ...on }, del: { verb: 'DEL', ...on } };
}

const collect = (...valid: readonly string[]): CommandCall => ({
  verb: 'GC',
  settings: { 'cni.dev/valid-attachments': valid.map((containerID) => ({ containerID, ifname: 'eth0' })) },
});

/** The state outside the sandbox, and the links inside it. */
async function world(): Promise<readonly string[]> {
  return [...(await node.state()), await sandbox.exec('ip', '-o', 'link', 'show')];
}

/** The same without what may remain until the API is available: endpoints, and the journal's endpoint records. */
async function nodeAlone(): Promise<readonly string[]> {
  return (await world()).filter((line) => !line.startsWith('pod ') && !/^record \S+\.endpoint\.json /.test(line));
}

/** The first ADD after a boot also cleans up after earlier boots. */
const forgetSweep = () => rm(join(node.journal, 'swept-boot'), { force: true });

/** Records the points of a command that succeeds. */
async function pointsOf(command: CommandCall): Promise<readonly Point[]> {
  const points: Point[] = [];
  const { error } = await node.run(command, { wrap: recordingPoints(points) });
  expect(error).toBeUndefined();
  return points;
}

interface Fault {
  readonly point: Point;
  readonly moment: Moment;
  /** Runs a command with the fault, and returns what it throws. */
  readonly meet: (command: CommandCall, further?: (wrap: WrapEffects) => WrapEffects) => Promise<unknown>;
}

/** Tests the claim at every point, before and after its effect, and reports the points at which it does not hold. */
async function atEach(points: readonly Point[], claim: (fault: Fault) => Promise<void>): Promise<void> {
  const broken: string[] = [];
  const faults = points.flatMap((point) => (['before', 'after'] as const).map((moment) => ({ point, moment })));
  for (const { point, moment } of faults.filter(isPlausible)) {
    let isHit = false;
    const wrap = failingAt(point, moment, () => {
      isHit = true;
    });
    try {
      node.putPod();
      const meet: Fault['meet'] = async (command, further = (same) => same) =>
        (await node.run(command, { wrap: further(wrap) })).error;
      await claim({ point, moment, meet });
      expect(isHit, 'the command comes to this point').toBe(true);
    } catch (error) {
      broken.push(`${moment} ${point.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  expect(broken).toEqual([]);
}

// The journal only warns if it cannot write or remove a file. Reading can fail, if no file descriptor is free.
function isPlausible({ point: { name }, moment }: Pick<Fault, 'point' | 'moment'>): boolean {
  return !name.startsWith('journal.remove ') && !(name.startsWith('journal.begin ') && moment === 'after');
}

/** The same for a runtime that no longer reads: the ADD must undo everything. */
function endingWithoutReader(wrap: WrapEffects): WrapEffects {
  return (effects) => wrap({ ...effects, output: () => Promise.reject(new Error('EPIPE')) });
}

describe('a call that fails', () => {
  it(
    'in ADD: sandbox, interfaces, routes, leases, endpoint and journal are as they were',
    async () => {
      const { add, del } = aContainer();
      const points = await pointsOf(add);
      await node.succeed(del);
      await atEach(points, async ({ meet }) => {
        await forgetSweep();
        const before = await world();
        expect(await meet(aContainer().add)).toBeInstanceOf(Error);
        expect(await world()).toEqual(before);
      });
    },
    LOOP_MS,
  );

  it(
    'in the undo of ADD: the first error is the one that is told, and DEL finishes the rest',
    async () => {
      const points: Point[] = [];
      await node.run(aContainer().add, { wrap: endingWithoutReader(recordingPoints(points)) });
      const undoing = points.slice(points.findIndex(({ name }) => name.startsWith('output')) + 1);
      await atEach(undoing, async ({ meet }) => {
        const before = await world();
        const { add, del } = aContainer();
        expect(await meet(add, endingWithoutReader)).toMatchObject({ message: 'EPIPE' });
        await node.succeed(del);
        expect(await world()).toEqual(before);
      });
    },
    LOOP_MS,
  );

  it(
    'in DEL: a second DEL leaves nothing, and one that succeeds has left nothing on the node',
    async () => {
      const first = aContainer();
      await node.succeed(first.add);
      const points = await pointsOf(first.del);
      await atEach(points, async ({ meet, point }) => {
        const before = await world();
        const nodeBefore = await nodeAlone();
        const { add, del } = aContainer();
        await node.succeed(add);
        const error = await meet(del);
        if (error === undefined) expect(await nodeAlone()).toEqual(nodeBefore);
        if (point.name.startsWith('cluster')) expect(error).toBeUndefined();
        await node.succeed(del);
        expect(await world()).toEqual(before);
      });
    },
    LOOP_MS,
  );

  it(
    'in GC: it goes on past it, and a second GC leaves nothing that is stale',
    async () => {
      await using other = await makeSandbox();
      node.putPod('valid');
      const valid = { containerId: 'valid', pod: 'valid', sandboxPath: other.path };
      await node.succeed({ verb: 'ADD', ...valid });
      await node.succeed(aContainer().add);
      const points = await pointsOf(collect('valid'));
      await atEach(points, async ({ meet }) => {
        const before = await world();
        await node.succeed(aContainer().add);
        await meet(collect('valid'));
        await node.succeed(collect('valid'));
        expect(await world()).toEqual(before);
      });
      await node.succeed({ verb: 'DEL', ...valid });
    },
    LOOP_MS,
  );
});

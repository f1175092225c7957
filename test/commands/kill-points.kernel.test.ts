import { equal } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import { startCommandNode, type CommandCall, type CommandNode } from '../support/nodes/command-node.ts';
import { recordingPoints, type Moment, type Point } from '../support/commands/effects-points.ts';
import { runToKill } from '../support/kills/kill-order.ts';
import { hostNamespace, makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';

const LOOP_MS = 300_000;

let cacheFolder: string;
beforeAll(async () => {
  cacheFolder = await mkdtemp('/run/podwire-compiled-');
});
afterAll(() => rm(cacheFolder, { recursive: true }));

/** One container on a node, and the calls that a runtime makes for it. */
interface Scene {
  readonly node: CommandNode;
  readonly sandbox: Sandbox;
  readonly ADD: CommandCall;
  readonly DEL: CommandCall;
  readonly GC: CommandCall;
  /** True if the runtime has its result, and the journal has noted this. */
  readonly isAttached: boolean;
}

async function aScene(node: CommandNode, name: string, lastPoint = ''): Promise<Scene & AsyncDisposable> {
  node.putPod();
  // Unique on the whole machine, as real ids are: the command that cleans up finds the host-local to kill by this id.
  const containerId = `${basename(node.folder)}-${name}`;
  // The first ADD after a boot also cleans up after earlier boots.
  await rm(join(node.journal, 'swept-boot'), { force: true });
  const sandbox = await makeSandbox();
  const on = { containerId, sandboxPath: sandbox.path };
  return {
    node,
    sandbox,
    ADD: { verb: 'ADD', ...on },
    DEL: { verb: 'DEL', ...on },
    GC: { verb: 'GC', settings: { 'cni.dev/valid-attachments': [] } },
    isAttached: lastPoint.startsWith('entry.markAttached '),
    [Symbol.asyncDispose]: () => sandbox.remove(),
  };
}

/** How a later command cleans up what a killed command has left. */
const FINISHES = {
  'DEL without a sandbox': async ({ node, sandbox, DEL }) => {
    await sandbox.remove();
    await node.succeed(DEL);
  },
  GC: ({ node, GC }) => node.succeed(GC),
  'ADD of the same container, then DEL': async ({ node, ADD, DEL, isAttached }) => {
    const { error } = await node.run(ADD);
    equal(error instanceof CniError ? error.code : error, isAttached ? ERROR_CODE.interfaceTaken : undefined);
    await node.succeed(DEL);
  },
} as const satisfies Record<string, (scene: Scene) => Promise<unknown>>;
type Finish = keyof typeof FINISHES;

type KillPoint = readonly [point: string, moment: Moment];

/**
 * The points of a command that succeeds. Between two calls it changes nothing, so "before" a call also means "after"
 * the previous one.
 */
async function killPointsOf(node: CommandNode, verb: 'ADD' | 'DEL'): Promise<readonly KillPoint[]> {
  const points: Point[] = [];
  await using scene = await aScene(node, 'living');
  if (verb === 'DEL') await node.succeed(scene.ADD);
  expect((await node.run(scene[verb], { wrap: recordingPoints(points) })).error).toBeUndefined();
  await node.succeed(scene.DEL);
  return [[points[0]?.name ?? '', 'before'], ...points.map(({ name }): KillPoint => [name, 'after'])];
}

/**
 * Kills the command at each of its points, cleans up with a later command, and reports the points after which
 * something is left.
 */
async function killAtEach(node: CommandNode, verb: 'ADD' | 'DEL', finish: Finish): Promise<readonly string[]> {
  const broken: string[] = [];
  const points = await killPointsOf(node, verb);
  for (const [index, [point, moment]] of points.entries()) {
    await using scene = await aScene(node, `c${index}`, point);
    const before = await node.state();
    try {
      if (verb === 'DEL') await node.succeed(scene.ADD);
      const order = { folder: node.folder, cacheFolder, point, moment };
      expect(await runToKill(node.input(scene[verb]), order)).toBe('SIGKILL');
      await FINISHES[finish](scene);
      await node.untilState(before);
    } catch (error) {
      broken.push(`${moment} ${point}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return broken;
}

describe('a command in a separate process', () => {
  it('that is not killed succeeds', async () => {
    await using node = await startCommandNode(10);
    await using scene = await aScene(node, 'living');
    const before = await node.state();
    const order = { folder: node.folder, cacheFolder, point: undefined, moment: 'before' } as const;
    expect(await runToKill(node.input(scene.ADD), order)).toBe('status 0');
    await node.succeed(scene.DEL);
    expect(await node.state()).toEqual(before);
  });
});

// Each has its own node, so that they can run at the same time.
describe.concurrent('whatever the call after which it is killed, nothing is left of', () => {
  const LOOPS = [
    ['ADD', 'DEL without a sandbox'],
    ['ADD', 'GC'],
    ['ADD', 'ADD of the same container, then DEL'],
    ['DEL', 'DEL without a sandbox'],
    ['DEL', 'GC'],
  ] as const satisfies readonly (readonly ['ADD' | 'DEL', Finish])[];
  it.each(LOOPS.map((loop, index) => [...loop, 11 + index] as const))(
    '%s, ended by %s',
    async (verb, finish, number) => {
      await using node = await startCommandNode(number);
      expect(await killAtEach(node, verb, finish)).toEqual([]);
    },
    LOOP_MS,
  );

  it('an ADD that was killed before it labelled its host interface leaves nothing after DEL or GC', async () => {
    await using node = await startCommandNode(16);
    for (const finish of ['DEL without a sandbox', 'GC'] as const) {
      await using scene = await aScene(node, `unlabelled-${finish.slice(0, 2)}`);
      const before = await node.state();
      const point = 'kernel.apply create-veth #1';
      const order = { folder: node.folder, cacheFolder, point, moment: 'after' } as const;
      expect(await runToKill(node.input(scene.ADD), order)).toBe('SIGKILL');
      await hostNamespace().exec('ip', 'link', 'set', node.hostInterface(), 'alias', '');
      await FINISHES[finish](scene);
      await node.untilState(before);
    }
  });
});

describe('a DEL', () => {
  it('between the moment when ADD has printed its result and the one when it notes this leaves nothing', async () => {
    await using node = await startCommandNode(17);
    await using scene = await aScene(node, 'printed');
    const before = await node.state();
    const { error, outputs } = await node.run(scene.ADD, {
      wrap: (effects) => ({
        ...effects,
        output: async (text) => {
          await effects.output(text);
          await node.succeed(scene.DEL);
        },
      }),
    });
    expect([error, outputs]).toEqual([undefined, [expect.any(String)]]);
    await node.untilState(before);
  });
});

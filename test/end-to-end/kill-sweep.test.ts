import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeGatedDelegate } from '../support/delegates/gated-delegate.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { EXECUTABLE } from '../lab/run-executable.ts';
import { killPointsOf, runKilledAt, type KillPoint } from '../support/kills/system-call-kill.ts';
import { until } from '../lab/until.ts';

// PODWIRE_KILL_POINTS=all tests all points with each way to clean up. By default this many points are tested, evenly
// spread, each with one way in turn.
const IS_WHOLE = process.env['PODWIRE_KILL_POINTS'] === 'all';
const MAX_POINTS = 60;
const SWEEP_MS = IS_WHOLE ? 3_600_000 : 300_000;

let node: LoopbackNode;
beforeAll(async () => {
  node = await startLoopbackNode();
});
afterAll(() => node[Symbol.asyncDispose]());

const callOf = (pod: LoopbackPod, overrides: JsonObject = {}) => ({
  config: node.netconf({ cniVersion: '1.1.0', ...overrides }),
  ...pod.call,
});
async function succeed(verb: 'ADD' | 'DEL', pod: LoopbackPod): Promise<void> {
  const { exitCode, stdout, stderr } = await node.run({ verb, ...callOf(pod) });
  if (exitCode !== 0) throw new Error(`${verb} failed: ${stdout}${stderr}`);
}

/** How a later command cleans up what a killed command has left. */
const FINISHES: Readonly<Record<string, (pod: LoopbackPod) => Promise<void>>> = {
  'DEL, its sandbox there': (pod) => succeed('DEL', pod),
  'DEL, its sandbox gone': async (pod) => {
    await pod.sandbox.remove();
    await succeed('DEL', pod);
  },
  GC: async () => {
    const config = node.netconf({ cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] });
    const { exitCode, stdout } = await node.run({ verb: 'GC', config });
    if (exitCode !== 0) throw new Error(`GC failed: ${stdout}`);
  },
  'ADD again, then DEL': async (pod) => {
    await succeed('ADD', pod);
    await succeed('DEL', pod);
  },
};

const left = async (pod: LoopbackPod): Promise<JsonObject> => ({ ...(await node.state()), endpoint: pod.endpoint() });

/** The command that is killed, and what to do before it. */
interface Victim {
  readonly verb: 'ADD' | 'DEL';
  readonly exitCode: 0 | 1;
  readonly overrides?: JsonObject;
  readonly prepare?: (pod: LoopbackPod) => Promise<void>;
}

const VICTIMS: Readonly<Record<string, Victim>> = {
  ADD: { verb: 'ADD', exitCode: 0 },
  DEL: { verb: 'DEL', exitCode: 0, prepare: (pod) => succeed('ADD', pod) },
  // The server executes the request and does not respond.
  'an ADD that is undone': {
    verb: 'ADD',
    exitCode: 1,
    overrides: { budgets: { api_request_ms: 300 } },
    prepare: () => node.api.setFault({ kind: 'stall', at: 'body' }, { method: 'PATCH', times: 1 }),
  },
};

/** Kills the command at a point and cleans up. `fault` says what is wrong then; it is absent if nothing is. */
async function tryPoint(
  { verb, overrides, prepare }: Victim,
  point: KillPoint,
  finish: string,
): Promise<{ hit: boolean; fault?: string }> {
  await using pod = await makeLoopbackPod(node, 'killed');
  const before = await left(pod);
  let hit = false;
  try {
    await prepare?.(pod);
    const ended = await runKilledAt(node, { verb, ...callOf(pod, overrides) }, point);
    await node.api.setFault(undefined);
    hit = ended.signal === 'SIGKILL';
    // After an ADD that has printed its result, and after a DEL, a runtime sends DEL.
    const isAddable = verb === 'ADD' && ended.stdout === '';
    await FINISHES[finish.startsWith('ADD') && !isAddable ? 'DEL, its sandbox there' : finish]?.(pod);
    // The kernel deletes a link automatically a moment after its sandbox.
    await until('nothing is left', async () => JSON.stringify(await left(pod)) === JSON.stringify(before));
    return { hit };
  } catch (error) {
    const state = JSON.stringify(await left(pod));
    await node.run({ verb: 'DEL', ...callOf(pod) });
    return { hit, fault: `${point.call} #${point.ordinal}, then ${finish}: ${String(error)}; ${state}` };
  }
}

function spread<Value>(values: readonly Value[], most: number): readonly Value[] {
  if (IS_WHOLE || values.length <= most) return values;
  return Array.from({ length: most }, (_, index) => values[Math.floor((index * values.length) / most)]).filter(
    (value) => value !== undefined,
  );
}

describe('killed before any system call, a command leaves nothing after its cleanup', () => {
  it.for(Object.entries(VICTIMS))(
    'of %s, after DEL, GC or the next ADD',
    { timeout: SWEEP_MS },
    async ([name, victim], { task }) => {
      const points = await (async () => {
        await using pod = await makeLoopbackPod(node, 'living');
        // The second ADD is measured, because the first one unpacks the native code and cleans up after earlier
        // boots.
        await succeed('ADD', pod);
        await succeed('DEL', pod);
        await victim.prepare?.(pod);
        const all = await killPointsOf(node, { verb: victim.verb, ...callOf(pod, victim.overrides) }, victim.exitCode);
        await succeed('DEL', pod);
        return all;
      })();
      const finishes = Object.keys(FINISHES);
      const cases = spread(points, MAX_POINTS).flatMap((point, index) =>
        (IS_WHOLE ? finishes : finishes.slice(index % finishes.length).slice(0, 1)).map((finish) => ({
          point,
          finish,
        })),
      );
      const outcomes: { hit: boolean; fault?: string }[] = [];
      for (const { point, finish } of cases) outcomes.push(await tryPoint(victim, point, finish));
      const kills = outcomes.filter(({ hit }) => hit).length;
      expect(outcomes.flatMap(({ fault }) => fault ?? [])).toEqual([]);
      expect(kills).toBeGreaterThan(cases.length * 0.8);
      recordFigure(task, {
        fault: `SIGKILL before a system call of ${name}`,
        promise: 'DEL, GC or the next ADD leaves nothing',
        measured: `${kills} kills at ${spread(points, MAX_POINTS).length} of ${points.length} points, 0 with something left`,
      });
    },
  );
});

describe('a delegate that outlives the ADD that was killed', () => {
  it.each(Object.keys(FINISHES))('allocates nothing after %s', async (finish) => {
    await using pod = await makeLoopbackPod(node, 'orphaned');
    const before = await left(pod);
    using gate = await makeGatedDelegate(node.folder, node.pluginPath, 'before');
    const running = node.start({ verb: 'ADD', ...callOf(pod), pluginPath: gate.folder });
    await gate.arrived;
    running.process.kill('SIGKILL');
    await running.ended;
    await FINISHES[finish]?.(pod);
    gate.release();
    // A process that still waits at the gate would now continue.
    await until('the delegate has ended', () => processesOf((word) => word.includes(gate.folder)).length === 0);
    expect(await left(pod)).toEqual(before);
  });
});

describe('a delegate that has not begun when its ADD is killed', () => {
  it('gets no configuration, and allocates nothing after GC', async () => {
    await using pod = await makeLoopbackPod(node, 'unbegun');
    const before = await left(pod);
    const executable = join(node.folder, 'podwire-unbegun');
    symlinkSync(EXECUTABLE, executable);
    const slowly = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=execve:delay_enter=2000000'];
    const running = node.start({ verb: 'ADD', ...callOf(pod), executable, within: slowly });
    // Before execve the delegate is a second process with the name of the ADD.
    const own = () =>
      processesOf((word) => word === executable).filter((pid) => !readText(`/proc/${pid}/comm`).startsWith('strace'));
    await until('the delegate is about to begin', () => own().length > 1);
    const parents = own().map((pid) => /^PPid:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1]);
    for (const pid of own().filter((one) => parents.includes(one))) process.kill(Number(pid), 'SIGKILL');
    await FINISHES['GC']?.(pod);
    await running.ended;
    expect(await left(pod)).toEqual(before);
  });
});

/** The ids of the processes that have a matching word in their command line. */
function processesOf(isMeant: (word: string) => boolean): readonly string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readText(`/proc/${pid}/cmdline`).split('\0').some(isMeant));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}

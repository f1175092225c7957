/** An operation on a node. A container id is never reused. */
export type Operation =
  | { readonly kind: 'ADD'; readonly pod: string; readonly id: string }
  | { readonly kind: 'ADD again' | 'CHECK'; readonly id: string }
  /** `bare`: with the container id only. `gone`: the sandbox was removed before. */
  | { readonly kind: 'DEL'; readonly id: string; readonly how: 'plain' | 'bare' | 'gone' }
  | { readonly kind: 'DEL of none'; readonly pod: string; readonly id: string; readonly how: 'plain' | 'bare' }
  | { readonly kind: 'GC'; readonly valid: readonly string[] }
  /**
   * `at`: the point at which it is killed, from 0 (its start) to 1,000 (its end). `finish`: the command that cleans
   * up.
   */
  | {
      readonly kind: 'killed ADD';
      readonly pod: string;
      readonly id: string;
      readonly at: number;
      readonly finish: 'DEL' | 'GC';
    }
  | { readonly kind: 'killed DEL'; readonly id: string; readonly at: number; readonly finish: 'DEL' | 'GC' }
  | { readonly kind: 'new pod'; readonly pod: string }
  | { readonly kind: 'API off' | 'API on' | 'reboot' };

/** A container that was attached and has not been removed. */
export interface ModelContainer {
  readonly pod: string;
  /** Counts the pods that have had this name. */
  readonly generation: number;
  /** `replaced`: another container of its pod has its host interface. `dead`: it was attached in an earlier boot. */
  readonly stage: 'attached' | 'replaced' | 'dead';
}

/** The state of a node, as far as it concerns podwire. */
export interface SoakModel {
  readonly containers: Map<string, ModelContainer>;
  /** The containers whose endpoint remains to be cleared. */
  readonly pending: Set<string>;
  /** The container that the endpoint of each pod names. */
  readonly endpoints: Map<string, string>;
  readonly generations: Map<string, number>;
  isApiUp: boolean;
  /** False from a reboot to the first ADD. */
  isSwept: boolean;
}

export function makeModel(pods: readonly string[]): SoakModel {
  return {
    containers: new Map(),
    pending: new Set(),
    endpoints: new Map(),
    generations: new Map(pods.map((pod) => [pod, 0])),
    isApiUp: true,
    isSwept: true,
  };
}

/** Chooses an operation that is possible now. */
export function chooseOperation(model: SoakModel, random: Random, id: string): Operation {
  const pods = [...model.generations.keys()];
  const all = [...model.containers.keys()];
  const living = all.filter((one) => model.containers.get(one)?.stage === 'attached');
  const taken = new Set(living.map((one) => model.containers.get(one)?.pod));
  const free = pods.filter((pod) => !taken.has(pod));
  const mayKill = model.isApiUp && model.isSwept;
  const finish = random.pick(['DEL', 'GC'] as const);
  const at = random.below(1000);
  const chance = random.below(100);
  const add = { kind: 'ADD', pod: random.pick(free.length > 0 && chance % 6 > 0 ? free : pods), id } as const;
  if (chance < 30 || all.length === 0) return chance < 90 ? add : { kind: model.isApiUp ? 'API off' : 'API on' };
  if (chance < 46) return { kind: 'DEL', id: random.pick(all), how: random.pick(['plain', 'bare', 'gone'] as const) };
  if (chance < 56) return { kind: 'CHECK', id: random.pick(all) };
  if (chance < 60) return living.length > 0 ? { kind: 'ADD again', id: random.pick(living) } : add;
  if (chance < 64)
    return { kind: 'DEL of none', pod: random.pick(pods), id, how: random.pick(['plain', 'bare'] as const) };
  if (chance < 70) return { kind: 'GC', valid: living.filter(() => random.below(4) > 0) };
  if (chance < 78 && mayKill && free.length > 0) return { kind: 'killed ADD', pod: random.pick(free), id, at, finish };
  if (chance < 85 && mayKill && living.length > 0) return { kind: 'killed DEL', id: random.pick(living), at, finish };
  if (chance < 85) return model.isApiUp ? add : { kind: 'API on' };
  if (chance < 88) return { kind: 'new pod', pod: random.pick(pods) };
  if (chance < 91) return { kind: 'reboot' };
  return { kind: model.isApiUp ? 'API off' : 'API on' };
}

/** Applies an operation to the model, and returns the code that the command must end with, 0 for success. */
export function predict(model: SoakModel, operation: Operation): number {
  const { containers, pending, endpoints, generations } = model;
  switch (operation.kind) {
    case 'ADD': {
      sweep(model);
      if (!model.isApiUp) return CODE.tryAgainLater;
      for (const [id, other] of containers) {
        if (other.pod === operation.pod && other.stage === 'attached')
          containers.set(id, { ...other, stage: 'replaced' });
      }
      const generation = generations.get(operation.pod) ?? 0;
      containers.set(operation.id, { pod: operation.pod, generation, stage: 'attached' });
      endpoints.set(operation.pod, operation.id);
      return 0;
    }
    case 'ADD again':
      sweep(model);
      return CODE.interfaceTaken;
    case 'CHECK':
      return codeOfCheck(model, containers.get(operation.id));
    case 'DEL':
      takeDown(model, operation.id);
      finishPending(model);
      return 0;
    case 'DEL of none':
      // Without a record and without CNI_ARGS, DEL knows no pod.
      if (operation.how === 'bare') return 0;
      if (model.isApiUp) finishPending(model);
      else pending.add(operation.id);
      return 0;
    case 'GC':
      for (const id of containers.keys()) if (!operation.valid.includes(id)) takeDown(model, id);
      finishPending(model);
      return 0;
    case 'killed ADD':
      finishPending(model);
      return 0;
    case 'killed DEL':
      takeDown(model, operation.id);
      finishPending(model);
      return 0;
    case 'new pod':
      generations.set(operation.pod, (generations.get(operation.pod) ?? 0) + 1);
      endpoints.delete(operation.pod);
      return 0;
    case 'API off':
    case 'API on':
      model.isApiUp = operation.kind === 'API on';
      return 0;
    case 'reboot':
      for (const [id, container] of containers) containers.set(id, { ...container, stage: 'dead' });
      model.isSwept = false;
      return 0;
    default:
      return operation satisfies never;
  }
}

const CODE = { invalidSandbox: 8, tryAgainLater: 11, interfaceTaken: 103, drifted: 106 } as const;

function codeOfCheck({ isApiUp, generations }: SoakModel, container: ModelContainer | undefined): number {
  if (container?.stage === 'dead') return CODE.invalidSandbox;
  if (container?.stage === 'replaced') return CODE.drifted;
  if (!isApiUp) return CODE.tryAgainLater;
  return container?.generation === generations.get(container?.pod ?? '') ? 0 : CODE.drifted;
}

/**
 * The first ADD after a reboot removes what earlier boots have left on the node. Their endpoints wait for a DEL or
 * GC.
 */
function sweep(model: SoakModel): void {
  if (model.isSwept) return;
  model.isSwept = true;
  for (const [id, { stage }] of model.containers) {
    if (stage !== 'dead') continue;
    model.containers.delete(id);
    model.pending.add(id);
  }
}

function takeDown(model: SoakModel, id: string): void {
  model.containers.delete(id);
  model.pending.add(id);
}

function finishPending({ isApiUp, pending, endpoints }: SoakModel): void {
  if (!isApiUp) return;
  for (const [pod, id] of endpoints) if (pending.has(id)) endpoints.delete(pod);
  pending.clear();
}

/** Random numbers that can be repeated. */
export interface Random {
  /** 0 to `count` - 1. */
  below(count: number): number;
  /** @throws {RangeError} for an empty list */
  pick<Value>(values: readonly Value[]): Value;
}

/** Makes random numbers from a seed, with mulberry32. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    pick(values) {
      const value = values[below(values.length)];
      if (value === undefined) throw new RangeError('nothing to pick from');
      return value;
    },
  };
}

import { CniError, ERROR_CODE } from '../../../src/cni/error.ts';
import type { Effects } from '../../../src/attachment/effects.ts';
import { KernelError } from '../../../src/system/kernel-error.ts';
import type { Kernel } from '../../../src/kernel/kernel.ts';
import type { WrapEffects } from './effects.ts';

/** One call of an effect within a command. */
export interface Point {
  /** `kernel.observeInterface #2`: the second such call. */
  readonly name: string;
  /** True if the call returns a promise, so that the promise has to fail. */
  readonly isAsync: boolean;
}

/** Before a call takes effect, or after it has taken effect and before the command knows. */
export type Moment = 'before' | 'after';

/** Runs in place of each call, and decides whether to make the call. */
type Around = (name: string, call: () => unknown) => unknown;

/** Wraps effects so that they record the points that a command reaches, in order. */
export function recordingPoints(points: Point[]): WrapEffects {
  return (effects) =>
    surround(effects, (name, call) => {
      const value = call();
      points.push({ name, isAsync: value instanceof Promise });
      return value;
    });
}

/**
 * Wraps effects so that one call fails in the same way as the real one could. `onHit` is called when the command
 * reaches it.
 */
export function failingAt({ name: wanted, isAsync }: Point, moment: Moment, onHit: () => void): WrapEffects {
  return (effects) =>
    surround(effects, (name, call) => {
      if (name !== wanted) return call();
      onHit();
      const error = injectedError(wanted);
      const value = moment === 'after' ? call() : undefined;
      if (isAsync) return failLater(value, error);
      throw error;
    });
}

/** Wraps effects so that `act` runs at one point. */
export function actingAt(wanted: string, moment: Moment, act: () => void): WrapEffects {
  return (effects) =>
    surround(effects, (name, call) => {
      if (name !== wanted) return call();
      if (moment === 'before') act();
      const value = call();
      if (moment === 'before') return value;
      if (value instanceof Promise) return actThen(value, act);
      act();
      return value;
    });
}

async function failLater(value: unknown, error: Error): Promise<never> {
  await value;
  throw error;
}

async function actThen(value: unknown, act: () => void): Promise<unknown> {
  const awaited = await value;
  act();
  return awaited;
}

function injectedError(name: string): Error {
  if (name.startsWith('kernel')) return new KernelError('ask for', name, 'ENOBUFS');
  if (name.startsWith('cluster')) return new CniError(ERROR_CODE.tryAgainLater, `the API server went away: ${name}`);
  if (name.startsWith('delegate')) return new CniError(ERROR_CODE.delegateFailed, `the IPAM plugin died: ${name}`);
  if (name.startsWith('agent'))
    return new CniError(ERROR_CODE.invalidConfig, `the agent's file is not usable: ${name}`);
  const code = name.startsWith('output') ? 'EPIPE' : 'EMFILE';
  return Object.assign(new Error(`${code}: ${name}`), { code });
}

function surround(effects: Effects, around: Around): Effects {
  const counts = new Map<string, number>();
  const numbered: Around = (name, call) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return around(`${name} #${count}`, call);
  };
  const { agent, clock, kernel, cluster, delegate, journal, statusCache, output } = effects;
  // Each step is a separate point: an ADD can end between any two.
  const apply: Kernel['apply'] = async (steps, sandbox) => {
    const warnings: string[] = [];
    for (const step of steps) {
      await numbered(`kernel.apply ${step.kind}`, async () => {
        warnings.push(...(await kernel.apply([step], sandbox)));
      });
    }
    return warnings;
  };
  return {
    ...effects,
    agent: surroundCalls('agent', agent, numbered),
    clock: surroundCalls('clock', clock, numbered),
    kernel: surroundCalls('kernel', kernel, numbered, { apply }),
    statusCache: surroundCalls('statusCache', statusCache, numbered),
    cluster: surroundCalls('cluster', cluster, numbered),
    delegate: surroundCalls('delegate', delegate, numbered),
    journal: surroundCalls('journal', journal, numbered),
    output: async (text) => void (await numbered('output', () => output(text))),
  };
}

function surroundCalls<Effect extends object>(
  name: string,
  effect: Effect,
  around: Around,
  instead: Partial<Effect> = {},
): Effect {
  return new Proxy(effect, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      if (Object.hasOwn(instead, key)) return Reflect.get(instead, key);
      return (...given: readonly unknown[]) => {
        const value = around(`${name}.${String(key)}`, () => Reflect.apply(member, target, given));
        return isEntry(value) ? surroundCalls('entry', value, around) : value;
      };
    },
  });
}

function isEntry(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'markAttached' in value;
}

/** Effects that wait for an action before each call of one function of the kernel. */
export function actingBeforeKernel(name: keyof Kernel, act: () => Promise<unknown>): WrapEffects {
  return (effects) => ({
    ...effects,
    kernel: new Proxy(effects.kernel, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        if (key !== name) return (...given: readonly unknown[]): unknown => Reflect.apply(member, target, given);
        return async (...given: readonly unknown[]) => {
          await act();
          const value: unknown = await Reflect.apply(member, target, given);
          return value;
        };
      },
    }),
  });
}

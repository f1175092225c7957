import { processUptimeSeconds } from '../system/node-process.ts';

/** Writes one line of the trace. */
export type WriteTrace = (label: string) => void;

/**
 * The writer of a trace if PODWIRE_TRACE=1 is set: it prints `trace <milliseconds since the process started> <label>`
 * on stderr.
 */
export function openTrace(
  environment: Readonly<Record<string, string | undefined>>,
  writeStderr: (text: string) => void,
): WriteTrace | undefined {
  if (environment['PODWIRE_TRACE'] !== '1') return undefined;
  return (label) => writeStderr(`trace ${(processUptimeSeconds() * 1000).toFixed(3)} ${label}\n`);
}

/** Is called when a call of an effect begins, with its label `kernel.apply` and its arguments; the result, when it ends. */
export type BeginCall = (label: string, args: readonly unknown[]) => (error?: unknown) => void;

/** Writes a line at the beginning of each call, and one at its end. */
export function callsTo(trace: WriteTrace | undefined): BeginCall | undefined {
  if (trace === undefined) return undefined;
  return (label) => {
    trace(`begin ${label}`);
    return () => trace(`end ${label}`);
  };
}

/**
 * Wraps an effect so that `begin` learns of each call. Without it, it returns the effect itself: then tracing costs nothing,
 * and no caller has to mention it.
 */
export function traced<Effect extends object>(name: string, effect: Effect, begin: BeginCall | undefined): Effect {
  if (begin === undefined) return effect;
  return new Proxy(effect, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        const end = begin(`${name}.${String(key)}`, args);
        try {
          const value: unknown = Reflect.apply(member, target, args);
          if (value instanceof Promise) value.then(() => end(), end);
          else end();
          return value;
        } catch (error) {
          end(error);
          throw error;
        }
      };
    },
  });
}

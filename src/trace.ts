import { processUptimeSeconds } from './system/node-process.ts';

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

/**
 * Wraps an effect so that each call writes a line at its beginning and one at its end. Without a trace it returns the
 * effect itself: then tracing costs nothing, and no caller has to mention it.
 */
export function traced<Effect extends object>(name: string, effect: Effect, trace: WriteTrace | undefined): Effect {
  if (trace === undefined) return effect;
  return new Proxy(effect, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        const label = `${name}.${String(key)}`;
        trace(`begin ${label}`);
        const end = (): void => trace(`end ${label}`);
        const value: unknown = Reflect.apply(member, target, args);
        if (value instanceof Promise) value.then(end, end);
        else end();
        return value;
      };
    },
  });
}

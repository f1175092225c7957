import { uptime } from 'node:process';

/** Writes one line of the trace of time; absent where nobody wants one. */
export type WriteTrace = (label: string) => void;

/**
 * The writer of a trace, if PODWIRE_TRACE=1 asks for one: `trace <milliseconds since the process began> <label>` on stderr.
 */
export function openTrace(
  environment: Readonly<Record<string, string | undefined>>,
  writeStderr: (text: string) => void,
): WriteTrace | undefined {
  if (environment['PODWIRE_TRACE'] !== '1') return undefined;
  return (label) => writeStderr(`trace ${(uptime() * 1000).toFixed(3)} ${label}\n`);
}

/**
 * The same effect, each of its calls with a line at its begin and one at its end; the effect itself where there is no trace, so that being
 * off costs nothing, and no step has to speak of it.
 */
export function traced<Effect extends object>(name: string, effect: Effect, trace: WriteTrace | undefined): Effect {
  if (trace === undefined) return effect;
  return new Proxy(effect, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]) => {
        const label = `${name}.${String(key)}`;
        trace(`begin ${label}`);
        const end = (): void => trace(`end ${label}`);
        const value: unknown = Reflect.apply(member, target, given);
        if (value instanceof Promise) value.then(end, end);
        else end();
        return value;
      };
    },
  });
}

import { Script } from 'node:vm';

/** Where the parts of the program come from, and what they call to get anything else. */
export interface PartSource {
  readonly readSource: (name: string) => string;
  /** V8's code cache for it, if there is one. */
  readonly readCache: (name: string) => Buffer | undefined;
  readonly requireBuiltin: (name: string) => unknown;
}

/** A part that was loaded. */
export interface LoadedPart {
  readonly script: Script;
  /** A cache that V8 rejects costs time and breaks nothing. */
  readonly codeCache: 'accepted' | 'rejected' | 'none';
}

/**
 * Loads a part, as build/bundle.ts has made it, and the parts that it asks for as `podwire:NAME`.
 *
 * @param loaded gets each part under its name before it runs, which may be once and for all
 * @returns its exports
 */
export function loadPart(name: string, source: PartSource, loaded: Map<string, LoadedPart>): unknown {
  const cachedData = source.readCache(name);
  const script = new Script(source.readSource(name), {
    filename: `${name}.cjs`,
    ...(cachedData !== undefined && { cachedData }),
  });
  const verdict = script.cachedDataRejected === false ? 'accepted' : 'rejected';
  loaded.set(name, { script, codeCache: cachedData === undefined ? 'none' : verdict });
  const exportsOf = new Map<string, unknown>();
  const requireFrom = (wanted: string): unknown => {
    if (!wanted.startsWith(PART)) return source.requireBuiltin(wanted);
    const other = wanted.slice(PART.length);
    if (!exportsOf.has(other)) exportsOf.set(other, loadPart(other, source, loaded));
    return exportsOf.get(other);
  };
  const module = { exports: {} };
  const start: unknown = script.runInThisContext();
  if (typeof start === 'function') Reflect.apply(start, undefined, [requireFrom, module, module.exports]);
  return module.exports;
}

const PART = 'podwire:';

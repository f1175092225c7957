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
  /** What it exports, once it has run. */
  readonly module: { readonly exports: unknown };
}

/**
 * Loads a part, as build/bundle.ts has made it, and runs it. It asks for others as `podwire:NAME`, and each is loaded once.
 *
 * @param loaded gets each part under its name before it runs: the program's own run may end the process
 */
export function loadPart(name: string, source: PartSource, loaded: Map<string, LoadedPart>): LoadedPart {
  const cachedData = source.readCache(name);
  const script = new Script(source.readSource(name), {
    filename: `${name}.cjs`,
    ...(cachedData !== undefined && { cachedData }),
  });
  const verdict = script.cachedDataRejected === false ? 'accepted' : 'rejected';
  const module = { exports: {} };
  const part: LoadedPart = { script, codeCache: cachedData === undefined ? 'none' : verdict, module };
  loaded.set(name, part);
  const requireFrom = (wanted: string): unknown => {
    if (!wanted.startsWith(PART)) return source.requireBuiltin(wanted);
    const other = wanted.slice(PART.length);
    return (loaded.get(other) ?? loadPart(other, source, loaded)).module.exports;
  };
  const start: unknown = script.runInThisContext();
  if (typeof start === 'function') Reflect.apply(start, undefined, [requireFrom, module, module.exports]);
  return part;
}

const PART = 'podwire:';

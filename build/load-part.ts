import { Script } from 'node:vm';

/** Where the parts of the program come from. */
export interface PartSource {
  readonly readSource: (name: string) => string;
  /** Reads V8's code cache of a part; `undefined` if it has none. */
  readonly readCache: (name: string) => Buffer | undefined;
  /** Loads a module of Node. */
  readonly requireBuiltin: (name: string) => unknown;
}

/** A part that has been loaded. */
export interface LoadedPart {
  readonly script: Script;
  /** A rejected cache costs time, but breaks nothing. */
  readonly codeCache: 'accepted' | 'rejected' | 'none';
  /** Its exports, once it has run. */
  readonly module: { readonly exports: unknown };
}

/**
 * Loads a part that build/bundle.ts has made, and runs it. A part requires others as `podwire:NAME`; each is loaded
 * once.
 *
 * @param loaded receives each part before it runs, because the program may end the process
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
  const requireFrom = (id: string): unknown => {
    if (!id.startsWith(PART)) return source.requireBuiltin(id);
    const other = id.slice(PART.length);
    return (loaded.get(other) ?? loadPart(other, source, loaded)).module.exports;
  };
  const start: unknown = script.runInThisContext();
  if (typeof start === 'function') Reflect.apply(start, undefined, [requireFrom, module, module.exports]);
  return part;
}

const PART = 'podwire:';

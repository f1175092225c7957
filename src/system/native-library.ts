import { KernelError } from './kernel-error.ts';
import { loadNativeAddon } from './native-addon.ts';

/** A parameter of a C function. A Uint8Array is passed as a pointer to its bytes, and null as a null pointer. */
export type CParameter = number | bigint | string | Uint8Array | null | readonly (string | null)[];

/** The functions of one library, by the names of their prototypes. */
export interface NativeLibrary<Name extends string> {
  /** Calls a function that returns a number. */
  readonly call: (name: Name, ...parameters: readonly CParameter[]) => number;
  /** Calls a function that returns a pointer; a null pointer is 0n. */
  readonly callForPointer: (name: Name, ...parameters: readonly CParameter[]) => bigint;
  /** Calls a function that returns a string; a null pointer is ''. */
  readonly callForText: (name: Name, ...parameters: readonly CParameter[]) => string;
  /**
   * Calls a function that returns a number, on a thread of Node's pool. Its errno is lost. The bytes that it writes to must stay
   * reachable.
   */
  readonly callOnThread: (name: Name, ...parameters: readonly CParameter[]) => Promise<number>;
  /** Makes a C function, such as `int (int verdict, void *verifying)`. It is called on this thread only. A null pointer is 0n. */
  readonly makeCallback: (prototype: string, action: CallbackAction) => NativeCallback;
  /** The errno of the last call on this thread. */
  readonly errno: () => number;
}

export type CallbackAction = (...parameters: readonly (number | bigint)[]) => number;

/** A C function that calls one of JavaScript, until it is disposed of. */
export interface NativeCallback extends Disposable {
  readonly pointer: bigint;
}

/**
 * Opens a shared library, or with null the executable itself, with koffi. Each function is declared at its first call, and once in this
 * process, because koffi frees neither libraries nor functions.
 *
 * @param prototypes the functions, declared as koffi expects it
 * @throws {KernelError} if the addon cannot be loaded; and koffi's Error if the library cannot
 */
export function openNativeLibrary<Name extends string>(
  fileName: string | null,
  prototypes: Readonly<Record<Name, string>>,
): NativeLibrary<Name> {
  const koffi = loadKoffi();
  const { library, functions } = openOnce(koffi, fileName);
  const functionOf = (name: Name): CFunction => {
    const prototype = prototypes[name];
    const known = functions.get(prototype);
    if (known !== undefined) return known;
    const declared = library.func(prototype);
    functions.set(prototype, declared);
    return declared;
  };
  return {
    call: (name, ...parameters) => Number(functionOf(name)(...parameters)),
    callForPointer: (name, ...parameters) => BigInt(functionOf(name)(...parameters) ?? 0n),
    callForText: (name, ...parameters) => String(functionOf(name)(...parameters) ?? ''),
    callOnThread: (name, ...parameters) =>
      new Promise((resolve, reject) => {
        functionOf(name).async(...parameters, (error, value) => {
          if (error === null) resolve(Number(value));
          else reject(error);
        });
      }),
    makeCallback: (prototype, action) => {
      const type = callbackTypeOf(koffi, prototype);
      const pointer = koffi.register((...parameters) => action(...parameters.map((value) => value ?? 0n)), type);
      return { pointer, [Symbol.dispose]: () => koffi.unregister(pointer) };
    },
    errno: () => koffi.errno(),
  };
}

type CValue = number | bigint | string | null;

interface CFunction {
  (...parameters: readonly CParameter[]): CValue;
  async(...parameters: readonly [...CParameter[], (error: Error | null, value: CValue) => void]): void;
}

interface Koffi {
  load(library: string | null): KoffiLibrary;
  errno(): number;
  proto(declaration: string): object;
  pointer(type: object): object;
  register(action: (...parameters: readonly (number | bigint | null)[]) => number, type: object): bigint;
  unregister(pointer: bigint): void;
}

interface KoffiLibrary {
  func(prototype: string): CFunction;
}

interface OpenLibrary {
  readonly library: KoffiLibrary;
  /** By their prototypes. */
  readonly functions: Map<string, CFunction>;
}

const openLibraries = new Map<string | null, OpenLibrary>();

function openOnce(koffi: Koffi, fileName: string | null): OpenLibrary {
  const known = openLibraries.get(fileName);
  if (known !== undefined) return known;
  const opened = { library: koffi.load(fileName), functions: new Map<string, CFunction>() };
  openLibraries.set(fileName, opened);
  return opened;
}

const callbackTypes = new Map<string, object>();

function callbackTypeOf(koffi: Koffi, prototype: string): object {
  const known = callbackTypes.get(prototype);
  if (known !== undefined) return known;
  const type = koffi.pointer(koffi.proto(prototype));
  callbackTypes.set(prototype, type);
  return type;
}

let loadedKoffi: Koffi | undefined;

// The addon is loaded once, by whichever library is opened first.
function loadKoffi(): Koffi {
  if (loadedKoffi !== undefined) return loadedKoffi;
  const koffi = loadNativeAddon('koffi');
  if (!isKoffi(koffi)) {
    throw new KernelError('use', "koffi's addon", 'ELIBBAD', { explanation: 'it lacks an expected export' });
  }
  return (loadedKoffi = koffi);
}

function isKoffi(value: unknown): value is Koffi {
  if (typeof value !== 'object' || value === null) return false;
  return 'load' in value && typeof value.load === 'function' && 'errno' in value && typeof value.errno === 'function';
}

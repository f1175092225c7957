// Node's executable contains a code cache for each module of Node. V8 rejects all of them if a flag differs from those that they were made
// with, and Node then compiles a module and even serializes it again: 3 ms for what every command loads.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What is at the beginning of every code cache (v8/src/snapshot/code-serializer.h, SerializedCodeData). */
interface CacheHeader {
  /** The kind of data, and a hash of V8's version. */
  readonly version: Buffer;
  /** A hash of the flags that are not at their default. */
  readonly flags: Buffer;
}

/**
 * Makes a Node accept its code caches with other flags of V8. The flags must not change what V8 compiles to: the caches
 * contain bytecode only.
 *
 * @param nodePath a Node of the same version that runs on this machine
 * @param nodeOptions the flags, and other options of Node
 * @throws {Error} if `node` contains no such cache
 */
export async function adaptBuiltinCaches(
  node: Buffer,
  nodePath: string,
  nodeOptions: readonly string[],
): Promise<Buffer> {
  const [before, after] = await Promise.all([readHeader(nodePath, []), readHeader(nodePath, nodeOptions)]);
  const adapted = Buffer.from(node);
  let count = 0;
  for (let at = adapted.indexOf(before.version); at >= 0; at = adapted.indexOf(before.version, at + 1)) {
    const flags = adapted.subarray(at + FLAGS_OFFSET, at + FLAGS_OFFSET + HASH_BYTES);
    if (!flags.equals(before.flags)) continue;
    after.flags.copy(flags);
    count++;
  }
  if (count === 0) throw new Error('this Node contains no code cache of its modules: adapt build/builtin-caches.ts');
  return adapted;
}

/** Lists the modules of Node that it compiles although it contains a code cache for them. */
export async function listUncachedBuiltins(
  nodePath: string,
  nodeOptions: readonly string[],
): Promise<readonly string[]> {
  const script = `
    const { internalBinding } = require('internal/test/binding');
    for (const name of ['net', 'tls', 'stream/promises', 'child_process']) require(name);
    console.log([...internalBinding('builtins').getCacheUsage().compiledWithoutCache].join('\\n'));`;
  const names = await run(nodePath, [...nodeOptions, '--no-warnings', '--expose-internals', '-e', script]);
  return names.split('\n').filter((name) => name !== '');
}

const FLAGS_OFFSET = 12;
const HASH_BYTES = 4;

async function readHeader(nodePath: string, nodeOptions: readonly string[]): Promise<CacheHeader> {
  const script = "new (require('vm').Script)('').createCachedData().subarray(0, 16).toString('hex')";
  const header = Buffer.from((await run(nodePath, [...nodeOptions, '-p', script])).trim(), 'hex');
  return { version: header.subarray(0, 8), flags: header.subarray(FLAGS_OFFSET) };
}

async function run(nodePath: string, parameters: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(nodePath, parameters, { env: {} });
  return stdout;
}

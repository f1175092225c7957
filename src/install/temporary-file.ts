import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A name for a file that is being written. It counts as abandoned as soon as this is disposed of, or the process has ended. */
export interface TemporaryName extends AsyncDisposable {
  readonly name: string;
}

/**
 * A name that no runtime reads: it begins with a dot, and `.tmp` is none of their endings either.
 *
 * A process id would say nothing to an installer in another container. A socket in the abstract namespace does: it goes with its
 * process, however that ends, and is seen by all on the node's network, as installers are.
 */
export async function claimTemporaryName(fileName: string): Promise<TemporaryName> {
  const claim = `${await networkNamespace()}-${randomBytes(6).toString('hex')}`;
  const server = createServer().unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(`\0${SOCKET_PREFIX}${claim}`, resolve);
  });
  return {
    name: `${NAME_PREFIX}${fileName}.${claim}.tmp`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** Paths of those unfinished files of a folder that nobody works on any more. */
export async function findAbandoned(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(NAME_PREFIX));
  if (names.length === 0) return [];
  const [here, sockets] = [await networkNamespace(), await readFile('/proc/net/unix', 'utf8')];
  const found: string[] = [];
  for (const name of names) {
    const [, claim, namespace] = /\.((\d+)-[0-9a-f]+)\.tmp$/.exec(name) ?? [];
    const path = join(folder, name);
    const isAbandoned =
      claim !== undefined && namespace === here
        ? !sockets.includes(`@${SOCKET_PREFIX}${claim}`)
        : await isOlderThan(path, OUTLIVED_MS);
    if (isAbandoned) found.push(path);
  }
  return found;
}

const NAME_PREFIX = '.podwire-new-';
const SOCKET_PREFIX = 'podwire-install-';

/** Longer than any file takes to be written: of an installer whose sockets cannot be seen from here. */
const OUTLIVED_MS = 10 * 60_000;

async function networkNamespace(): Promise<string> {
  return /\d+/.exec(await readlink('/proc/self/ns/net'))?.[0] ?? '0';
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > ageMs;
}

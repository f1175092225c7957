import { randomBytes } from 'node:crypto';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/**
 * The name of a file that is being written. The file counts as abandoned once this is disposed of, or the process has
 * ended.
 */
export interface TemporaryName extends Disposable {
  readonly name: string;
}

/**
 * A name that no runtime reads: it begins with a dot and ends in `.tmp`.
 *
 * It names a socket in the abstract namespace, and not a process id, which would mean nothing to an installer in another
 * container. The kernel closes the socket when its process ends for any reason. Every process in the node's network
 * namespace, which installers use, can see it.
 */
export async function claimTemporaryName(fileName: string): Promise<TemporaryName> {
  const claim = `${await networkNamespace()}-${randomBytes(6).toString('hex')}`;
  // Any process of the node can connect. Each connection is closed immediately, so that none delays the disposal.
  const server = createServer((connection) => connection.on('error', () => undefined).destroy()).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(`\0${SOCKET_PREFIX}${claim}`, resolve);
  });
  return {
    name: `${NAME_PREFIX}${fileName}.${claim}.tmp`,
    [Symbol.dispose]: () => void server.close(),
  };
}

/** Finds the temporary files in a folder whose process has ended, and returns their paths. */
export async function findAbandonedFiles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(NAME_PREFIX));
  if (names.length === 0) return [];
  const ownNamespace = await networkNamespace();
  const sockets = await readFile('/proc/net/unix', 'utf8');
  const abandoned: string[] = [];
  for (const name of names) {
    const [, claim, namespace] = /\.((\d+)-[0-9a-f]+)\.tmp$/.exec(name) ?? [];
    const path = join(folder, name);
    const isAbandoned =
      claim !== undefined && namespace === ownNamespace
        ? !sockets.includes(`@${SOCKET_PREFIX}${claim}`)
        : await isOlderThan(path, MAX_WRITING_MS);
    if (isAbandoned) abandoned.push(path);
  }
  return abandoned;
}

/**
 * The paths of the incomplete files that the plugin itself has left in a folder. Their names say which process wrote
 * them, but of another PID namespace, so only their age counts here.
 */
export async function findOldPluginFiles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.new'));
  const paths: string[] = [];
  for (const path of names.map((name) => join(folder, name))) {
    if (await isOlderThan(path, MAX_WRITING_MS)) paths.push(path);
  }
  return paths;
}

const NAME_PREFIX = '.podwire-new-';
const SOCKET_PREFIX = 'podwire-install-';

/** Longer than writing any file takes. It is for the files of an installer whose sockets are not visible here. */
const MAX_WRITING_MS = 10 * 60_000;

async function networkNamespace(): Promise<string> {
  return /\d+/.exec(await readlink('/proc/self/ns/net'))?.[0] ?? '0';
}

async function isOlderThan(path: string, ageMs: number): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > ageMs;
}

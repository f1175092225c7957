import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Reads the neighbor entries of an interface with iproute2, if it is installed.
 *
 * @param sandboxPath the network namespace; `undefined` for the one of this process
 * @returns lines such as `169.254.1.1 ee:ee:ee:ee:ee:ee REACHABLE`
 */
export async function readNeighbors(sandboxPath: string | undefined, name: string): Promise<readonly string[]> {
  const command = ['ip', '-json', 'neigh', 'show', 'dev', name];
  const [program = '', ...args] =
    sandboxPath === undefined ? command : ['nsenter', `--net=${sandboxPath}`, '--', ...command];
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: 3000 });
    const entries: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
    return (Array.isArray(entries) ? entries : []).map((entry: unknown) =>
      [text(entry, 'dst'), text(entry, 'lladdr'), text(entry, 'state')].filter((part) => part !== '').join(' '),
    );
  } catch {
    return [];
  }
}

function text(entry: unknown, key: string): string {
  const value: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, key) : undefined;
  if (Array.isArray(value)) return value.map(String).join(' ');
  return typeof value === 'string' ? value : '';
}

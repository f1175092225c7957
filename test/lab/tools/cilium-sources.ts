import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MODULE = 'github.com/cilium/cilium';

/**
 * The folder of Cilium's source in Go's module cache. The agent compiles its BPF programs on the node, and the folder
 * also contains the CRDs.
 *
 * @throws {Error} with the message of Go, if the module is missing
 */
export async function findCiliumSources(): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['list', '-m', '-f', '{{.Dir}}', MODULE], {
    cwd: join(import.meta.dirname, '../../tools/cilium'),
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off' },
  });
  if (stdout.trim() === '') throw new Error(`${MODULE} is not in Go's module cache: npm run tools -- cilium-agent`);
  return stdout.trim();
}

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MODULE = 'github.com/cilium/cilium';

/**
 * The folder of Cilium's source, in Go's module cache: the agent compiles its BPF programs on the node, and its CRDs are
 * there.
 *
 * @throws {Error} with what Go says, if the module is not there
 */
export async function findCiliumSources(): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['list', '-m', '-f', '{{.Dir}}', MODULE], {
    cwd: join(import.meta.dirname, '../../tools/cilium'),
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off' },
  });
  if (stdout.trim() === '') throw new Error(`${MODULE} is not in Go's module cache: npm run tools -- cilium-agent`);
  return stdout.trim();
}

// npm run soak [-- --operations N] [--seed N]: random operations on a private node, compared with a model after each.
// A run that fails says its seed: the same seed repeats it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { operations: { type: 'string', default: '2000' }, seed: { type: 'string' } },
});
const repository = join(import.meta.dirname, '..');
const vitest = join(repository, 'node_modules', '.bin', 'vitest');
const words = ['--', vitest, 'run', '--project', 'end-to-end', 'test/end-to-end/soak.test.ts'];
const child = spawn(join(import.meta.dirname, 'in-private-namespace.sh'), words, {
  cwd: repository,
  env: {
    ...process.env,
    PODWIRE_SOAK_OPERATIONS: options.operations,
    ...(options.seed !== undefined && { PODWIRE_SOAK_SEED: options.seed }),
  },
  stdio: 'inherit',
});
await once(child, 'close');
process.exitCode = child.exitCode ?? 1;

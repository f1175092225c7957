// npm run soak: random operations on a private node, compared with a model after each one.
// A run that fails prints its seed; the same seed repeats the run.
import { join } from 'node:path';
import { runInPrivateNamespace } from './command-line/run-program.ts';
import { runScript } from './command-line/run-script.ts';
import { parseWholeNumber } from './command-line/whole-number.ts';

const USAGE = `usage: npm run soak -- [--operations N] [--seed N]

Runs random operations (ADD, DEL, kill, reboot and others) with dist/podwire. After each one, compares the node with a
model.
  --operations N  how many operations to run (2000)
  --seed N        repeat the run that printed this seed
`;

const VITEST = join(import.meta.dirname, '..', 'node_modules', '.bin', 'vitest');

await runScript(
  {
    name: 'soak',
    usage: USAGE,
    options: { operations: { type: 'string', default: '2000' }, seed: { type: 'string' } },
  },
  async ({ values: { operations, seed } }) => {
    const environment = {
      PODWIRE_SOAK_OPERATIONS: String(parseWholeNumber('--operations', operations)),
      ...(seed !== undefined && { PODWIRE_SOAK_SEED: String(parseWholeNumber('--seed', seed)) }),
    };
    const args = ['run', '--project', 'end-to-end', 'test/end-to-end/soak.test.ts'];
    process.exitCode = await runInPrivateNamespace(VITEST, args, environment);
  },
);

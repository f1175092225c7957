import { defineConfig } from 'vitest/config';
import { filesOf } from './scripts/test/parts.ts';

// `npm test -- PART...` starts each project in the right namespace: scripts/test/parts.ts has the table.
export default defineConfig({
  test: {
    allowOnly: false,
    maxWorkers: '100%', // vitest leaves one core free, but many tests only wait
    projects: [
      // Modules hold no state, so the test files of a worker can share them.
      { test: { name: 'unit', ...filesOf('unit'), isolate: false, testTimeout: 60_000 } },
      { test: { name: 'kernel', ...filesOf('kernel'), testTimeout: 60_000 } },
      {
        test: {
          name: 'end-to-end',
          ...filesOf('end-to-end'),
          globalSetup: 'scripts/test/up-to-date-executable.ts',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'node',
          ...filesOf('node'),
          globalSetup: ['scripts/test/up-to-date-executable.ts', 'scripts/test/up-to-date-image.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      { test: { name: 'conformance', ...filesOf('conformance'), hookTimeout: 300_000 } },
      { test: { name: 'image', ...filesOf('image'), testTimeout: 60_000, hookTimeout: 300_000 } },
    ],
  },
});

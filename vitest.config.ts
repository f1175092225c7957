import { defineConfig } from 'vitest/config';

const KERNEL = ['test/**/*.kernel.test.ts'];
const EXECUTABLE = ['test/end-to-end/**/*.test.ts', 'test/build/{executable,reproducible}.test.ts'];
const IMAGE = ['test/build/image/image.test.ts'];
const NODE = ['test/node/**/*.test.ts'];

export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [...KERNEL, ...EXECUTABLE, ...IMAGE, ...NODE] },
      },
      // These two run below scripts/in-private-namespace.sh: they make interfaces, and write to /run and /var/lib.
      { test: { name: 'kernel', include: KERNEL, exclude: EXECUTABLE, testTimeout: 30_000 } },
      {
        test: {
          name: 'end-to-end',
          include: EXECUTABLE,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      // A whole node, below scripts/in-private-namespace.sh, too; as root, for the kubelet and containerd.
      { test: { name: 'node', include: NODE, testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false } },
      // Needs a network, unlike those above: it fetches Debian packages and Go modules.
      { test: { name: 'image', include: IMAGE, testTimeout: 60_000, hookTimeout: 300_000 } },
    ],
  },
});

// npm run docs:observability: writes the examples of docs/observability.md, from real runs.
import { join } from 'node:path';
import { ensureExecutable } from '../build/up-to-date.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { runInPrivateNamespace } from './command-line/run-program.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run docs:observability

Makes a node with a real API server in a private network namespace, attaches pods, and writes what podwire says about it
to docs/observability.md and docs/observability/. It needs root or user namespaces, and the programs that tests use.
`;

await runScript({ name: 'docs:observability', usage: USAGE, options: {} }, async () => {
  const never = new AbortController().signal;
  await ensureExecutable(never);
  await ensureTools(['etcd', 'kube-apiserver', 'host-local', 'portmap', 'bandwidth']);
  process.exitCode = await runInPrivateNamespace(process.execPath, [
    join(import.meta.dirname, 'observability/inside.ts'),
    join(import.meta.dirname, '..'),
  ]);
});

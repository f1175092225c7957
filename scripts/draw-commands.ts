// npm run docs:commands: draws what the commands for people print, from real runs.
import { join } from 'node:path';
import { ensureExecutable } from '../build/up-to-date.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { runInPrivateNamespace } from './command-line/run-program.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run docs:commands

Makes a node with a real API server in a private network namespace, breaks it, and writes a picture of each command's
output to docs/commands/. It needs root or user namespaces, and the programs that tests use.
`;

await runScript({ name: 'docs:commands', usage: USAGE, options: {} }, async () => {
  const never = new AbortController().signal;
  await ensureExecutable(never);
  await ensureTools(['etcd', 'kube-apiserver', 'host-local', 'portmap', 'bandwidth']);
  const folder = join(import.meta.dirname, '../docs/commands');
  process.exitCode = await runInPrivateNamespace(process.execPath, [
    join(import.meta.dirname, 'commands/inside.ts'),
    folder,
  ]);
});

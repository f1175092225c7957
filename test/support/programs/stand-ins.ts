import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { EXECUTABLE } from '../../lab/run-executable.ts';
import { applyManifest, readManifest } from '../servers/manifest.ts';

/** A shell on a node, in which commands of an administrator have the effect that they have in a cluster. */
export interface NodeShell extends AsyncDisposable {
  /**
   * Runs a command with `sh -c`.
   *
   * @throws {Error} with its output, if its status is not 0
   */
  paste(command: string): Promise<string>;
}

/** What `timedatectl set-ntp true` does. */
type SetClock = () => void;

/** Starts the programs `kubectl` and `timedatectl` of the shell. `podwire` is the executable. */
export async function startNodeShell(node: DoctorNode, setClock: SetClock = () => undefined): Promise<NodeShell> {
  const folder = await mkdtemp('/run/podwire-shell-');
  const server = createServer((request, response) => {
    const run = async () => {
      const [program = '', ...args]: readonly string[] = JSON.parse(await text(request));
      if (program === 'timedatectl') setClock();
      return program === 'timedatectl' ? '' : await kubectl(node, args);
    };
    run().then(
      (output) => response.end(output),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = `const body = JSON.stringify(process.argv.slice(1));
fetch('http://127.0.0.1:${port}', { method: 'POST', body }).then(async (r) => { console.log(await r.text()); process.exit(r.ok ? 0 : 1); });`;
  await writeFile(join(folder, 'client.cjs'), client.replace('slice(1)', 'slice(2)'));
  for (const name of ['kubectl', 'timedatectl']) {
    const script = `#!/bin/sh\nexec ${process.execPath} ${join(folder, 'client.cjs')} ${name} "$@"\n`;
    await writeFile(join(folder, name), script, { mode: 0o755 });
  }
  await symlink(EXECUTABLE, join(folder, 'podwire'));
  const env = { ...node.environment, PATH: `${folder}:${process.env['PATH']}` };
  const cwd = join(import.meta.dirname, '../../..');
  return {
    paste: (command) =>
      new Promise((resolve, reject) => {
        execFile('sh', ['-c', command], { env, cwd }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${command}: ${stdout}${stderr}`, { cause: error }));
        });
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

const ADMISSION = '/apis/admissionregistration.k8s.io/v1';

/** The part of kubectl that fixes use. Deleting the pod of the DaemonSet installs podwire again, as a new pod does. */
async function kubectl(node: DoctorNode, args: readonly string[]): Promise<string> {
  const { admin } = node.cluster;
  const line = args.join(' ');
  if (line.startsWith('-n kube-system delete pod -l app.kubernetes.io/name=podwire')) {
    await node.install();
    return 'deleted';
  }
  if (line.startsWith('-n kube-system logs ds/podwire -c token')) return 'the log of the renewer';
  if (args[0] === 'apply' && args[1] === '-f') {
    await applyManifest(admin, readManifest(args[2] ?? ''), 'keep');
    return 'configured';
  }
  const [, namespace, names] = /^-n (\S+) delete pod (.+)$/.exec(line) ?? [];
  if (namespace !== undefined && names !== undefined) {
    for (const name of names.split(' ')) await node.pods.find((pod) => pod.name === name)?.remove();
    return 'deleted';
  }
  if (args[0] === 'patch' && args[1] === 'node') {
    const path = `/api/v1/nodes/${args[2]}`;
    await admin.request('PATCH', path, JSON.parse(args[4] ?? ''), 'application/strategic-merge-patch+json');
    return 'patched';
  }
  if (args[0] === 'patch' && args[3] === '--type=json') {
    const path = `${ADMISSION}/${args[1]}/${args[2]}`;
    await admin.request('PATCH', path, JSON.parse(args[5] ?? ''), 'application/json-patch+json');
    return 'patched';
  }
  throw new Error(`this kubectl does not know: ${line}`);
}

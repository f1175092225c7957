import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { listenOnLoopback } from '../../lab/doctor-node/listen.ts';
import { EXECUTABLE } from '../../lab/run-executable.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { startControllers } from './controllers.ts';

/** A shell on a node, in which commands of an administrator have the effect that they have in a cluster. */
export interface NodeShell extends AsyncDisposable {
  /**
   * Runs a command with `sh -c`.
   *
   * @throws {Error} with its output, if its status is not 0
   */
  paste(command: string): Promise<string>;
}

/** What programs of systemd do on the machine: `timedatectl set-ntp true`, `systemctl disable --now firewalld`. */
type ActOnMachine = (program: string, args: readonly string[]) => Promise<void>;

const PROGRAMS_OF_SYSTEMD = ['timedatectl', 'systemctl'] as const;

/**
 * Opens the shell. kubectl is the real one, with the kubeconfig of an administrator; `podwire` is the executable. What the
 * kubelet and the controller of DaemonSets then do is done here, because nothing of that runs.
 */
export async function startNodeShell(node: DoctorNode, act: ActOnMachine = async () => {}): Promise<NodeShell> {
  await using started = new AsyncDisposableStack();
  const { kubectl } = await ensureTools(['kubectl']);
  const folder = await mkdtemp('/run/podwire-shell-');
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await symlink(kubectl, join(folder, 'kubectl'));
  await symlink(EXECUTABLE, join(folder, 'podwire'));
  const server = createServer((request, response) => {
    const [program = '', ...args] = decodeURIComponent(request.url?.slice(1) ?? '').split(' ');
    act(program, args).then(
      () => response.end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  const port = await listenOnLoopback(server);
  started.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  for (const name of PROGRAMS_OF_SYSTEMD) {
    const script = `fetch('http://127.0.0.1:${port}/' + encodeURIComponent(process.argv.slice(1).join(' '))).then((r) => process.exit(r.ok ? 0 : 1))`;
    const text = `#!/bin/sh\nexec ${process.execPath} -e "${script}" ${name} "$@"\n`;
    await writeFile(join(folder, name), text, { mode: 0o755 });
  }
  const env = {
    ...node.environment,
    HOME: folder,
    KUBECONFIG: node.adminKubeconfigPath,
    PATH: `${folder}:${process.env['PATH']}`,
  };
  started.use(await startControllers(node, { kubectl, env }));
  const running = started.move();
  const cwd = join(import.meta.dirname, '../../..');
  return {
    paste: (command) =>
      new Promise((resolve, reject) => {
        execFile('sh', ['-c', command], { env, cwd, timeout: 60_000 }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`${command}: ${stdout}${stderr}`, { cause: error }));
        });
      }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

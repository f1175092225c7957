import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from './kube-apiserver.ts';
import { ensureTools } from '../tools/ensure-tools.ts';

/** What a command of kubectl said. */
export interface KubectlEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real kubectl, as an administrator of a cluster, in the folder of this repository. */
export interface Kubectl extends AsyncDisposable {
  /** @param input standard input, for `-f -` */
  run(args: readonly string[], input?: string): Promise<KubectlEnd>;
  /** @throws {Error} with the output, if the command fails */
  succeed(args: readonly string[], input?: string): Promise<string>;
}

/** Makes a kubectl with a separate kubeconfig, and without caches of other clusters. */
export async function makeKubectl(cluster: Cluster): Promise<Kubectl> {
  const { kubectl } = await ensureTools(['kubectl']);
  const folder = await mkdtemp(join(tmpdir(), 'podwire-kubectl-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const administrator = { commonName: 'admin', organizations: ['system:masters'] };
  await writeFile(kubeconfig, JSON.stringify(cluster.kubeconfigWithClientCertificate(administrator)), { mode: 0o600 });
  const options = {
    cwd: join(import.meta.dirname, '../../..'),
    env: { HOME: folder, PATH: process.env['PATH'] },
    maxBuffer: 64 * 1024 * 1024,
  };
  const run: Kubectl['run'] = (args, input = '') => {
    const { promise, resolve } = Promise.withResolvers<KubectlEnd>();
    const child = execFile(kubectl, [`--kubeconfig=${kubeconfig}`, ...args], options, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? 1, stdout, stderr }),
    );
    child.stdin?.end(input);
    return promise;
  };
  return {
    run,
    async succeed(args, input) {
      const { exitCode, stdout, stderr } = await run(args, input);
      if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}${stdout}`);
      return stdout;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

// The part of npm run docs:commands that runs in a private network namespace: it makes a node with a real API server,
// breaks it, and draws what the commands print on a terminal.
//   node scripts/commands/inside.ts FOLDER
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startDoctorNode, type DoctorNode } from '../../test/lab/doctor-node/doctor-node.ts';
import { hostNamespace } from '../../test/lab/namespaces/network-namespace.ts';
import { EXECUTABLE } from '../../test/lab/run-executable.ts';
import { drawTerminal } from './terminal-picture.ts';

const [, , folder = ''] = process.argv;
await mkdir(folder, { recursive: true });
await using node = await startDoctorNode();

/** Runs a command on a terminal of 80 columns, and draws it. Paths of the laboratory become those of a node. */
async function draw(name: string, command: string): Promise<void> {
  const words = command.replaceAll('/etc/cni/net.d', node.configs).replaceAll('admin.conf', node.adminKubeconfigPath);
  const line = `stty columns 80; ${words.replace(/^podwire/, EXECUTABLE)}`;
  const environment = { ...node.environment, TERM: 'xterm' };
  const run = promisify(execFile)('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    env: environment,
  });
  // A finding is exit status 1.
  const output = await run.then(
    ({ stdout }) => stdout,
    (error: unknown) => String(Reflect.get(Object(error), 'stdout')),
  );
  await writeFile(join(folder, `${name}.svg`), drawTerminal(command, asOnNode(output, node)));
}

await node.attach('web');
await node.attach('api');
await draw('doctor-healthy', 'podwire doctor --verbose');
await draw('explain', 'podwire explain default/web');
await draw('get-workloadendpoints', 'podwire get workloadendpoints -A -o wide --kubeconfig admin.conf');
await draw('plan', 'podwire plan --pod default/web --config /etc/cni/net.d/10-podwire.conflist');
await draw('test', 'podwire test --config /etc/cni/net.d/10-podwire.conflist');
await draw('help', 'podwire --help');

for (const name of ['job-7h2kd', 'job-9xk2p']) await (await node.attach(name)).forget();
await makeOld(node);
await draw('get-leases', 'podwire get leases');
await draw('gc', 'podwire gc --dry-run');

await hostNamespace().ip('route', 'del', '10.71.0.2/32');
await draw('explain-differs', 'podwire explain default/web');

const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
const [token = ''] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(kubeconfig) ?? [];
const issued = Math.floor(Date.now() / 1000) - 25 * 3600;
const expired = node.cluster.signToken(token, { iat: issued, nbf: issued, exp: issued + 24 * 3600 });
await writeFile(node.kubeconfigPath, kubeconfig.replace(token, expired));
await node.attach('new');
await draw('doctor', 'podwire doctor');
await draw('doctor-number', 'podwire doctor PW401');

function asOnNode(output: string, { configs, programs, folder: root, cluster }: DoctorNode): string {
  return output
    .replaceAll(configs, '/etc/cni/net.d')
    .replaceAll(programs, '/opt/cni/bin')
    .replaceAll(root, '')
    .replaceAll(cluster.server, 'https://192.0.2.5:6443')
    .replaceAll(/\/run\/podwire-sandbox-\w+\/net/g, '/run/netns/cni-8f0c');
}

async function makeOld({ leases }: DoctorNode): Promise<void> {
  const before = new Date(Date.now() - 3 * 86_400_000);
  for (const path of [join(leases, 'k8s-pod-network'), '/var/lib/podwire/networks/k8s-pod-network']) {
    for (const name of (await readdir(path)).filter((entry) => /job|10\.71\.0\.[45]$/.test(entry)))
      await utimes(join(path, name), before, before);
  }
}

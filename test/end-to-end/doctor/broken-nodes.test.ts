import { readFile, rm, utimes, writeFile, readdir, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';
import { startDoctorNode, type DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { startClockRelay } from '../../lab/doctor-node/clock-relay.ts';
import { startOutsideServer } from '../../lab/doctor-node/outside-server.ts';
import { startRefusingWebhook } from '../../lab/doctor-node/refusing-webhook.ts';
import { memberText } from '../../lab/member.ts';
import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';
import { until } from '../../lab/until.ts';
import { doctor, expectReadable, HEALTHY, listOf, repairAs, type Surroundings } from './doctor-report.ts';
import { tokenIn } from '../../support/installer/install-node.ts';
import { startNodeShell, type NodeShell } from './node-shell.ts';

// Each test breaks a healthy node in one way. Doctor must name this cause first, and the commands that it prints must
// make the node healthy again.

const HOUR_SECONDS = 3600;
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

let node: DoctorNode;
let shell: NodeShell;
let serverAheadMs = 0;

beforeAll(async () => {
  node = await startDoctorNode();
  shell = await startNodeShell(node, async () => void (serverAheadMs = 0));
});
afterAll(async () => {
  await shell[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

const repair = (first: string, surroundings: Partial<Surroundings> = {}) =>
  repairAs(first, { on: node, within: shell, ...surroundings });

async function rewriteToken(changes: Readonly<Record<string, number>>): Promise<void> {
  const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
  const token = tokenIn(kubeconfig);
  await writeFile(node.kubeconfigPath, kubeconfig.replace(token, node.cluster.signToken(token, changes)));
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('doctor names the cause first, and its fix works', () => {
  beforeEach(async () => expect(await doctor(node)).toEqual(HEALTHY));

  it('1. the token has expired', async () => {
    const issued = nowSeconds() - 25 * HOUR_SECONDS;
    await rewriteToken({ iat: issued, nbf: issued, exp: nowSeconds() - 41 * 60 });
    const { causes } = await repair('PW401');
    expect(causes).toEqual([['PW401', 'PW405']]);
  });

  it('2. the Node was created again', async () => {
    await node.cluster.admin.delete('/api/v1/nodes/node-1');
    await node.cluster.createNode('node-1', { podCIDRs: ['10.71.0.0/24'] });
    const args = ['--kubeconfig', node.adminKubeconfigPath];
    expect((await repair('PW402', { args })).causes).toEqual([['PW402']]);
  });

  it('3. the kubeconfig has the certificate authority of another cluster', async () => {
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    const data = memberText(listOf(JSON.parse(kubeconfig), 'clusters')[0], 'cluster', 'certificate-authority-data');
    const other = Buffer.from(makeCertificateAuthority('another').certificatePem).toString('base64');
    await writeFile(node.kubeconfigPath, kubeconfig.replace(data, other));
    expect((await repair('PW202')).causes).toEqual([['PW202']]);
  });

  it('the name of the API server is unknown', async () => {
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    await writeFile(node.kubeconfigPath, kubeconfig.replace(node.cluster.server, 'https://api.invalid:6443'));
    expect((await doctor(node)).causes).toEqual([['PW206', 'PW201']]);
    await writeFile(node.kubeconfigPath, kubeconfig);
  });

  it('4. the permissions are missing', async () => {
    await node.cluster.admin.delete(`${RBAC}/clusterrolebindings/podwire`);
    await until('the binding is gone', async () => (await doctor(node)).verdict === 'fail');
    const { fix } = await repair('PW403');
    expect(fix).toEqual(['kubectl apply -f cni-conf/rbac.yaml']);
  });

  it('5. an admission webhook refuses the endpoints', async () => {
    const pod = await node.attach('web');
    await using _webhook = await startRefusingWebhook(node.cluster);
    await until('the webhook is in force', async () => (await doctor(node)).verdict === 'fail');
    expect((await repair('PW404', { args: ['--kubeconfig', node.adminKubeconfigPath] })).causes).toEqual([['PW404']]);
    await pod.remove();
  });

  it('8. the configuration of another plugin comes first', async () => {
    const cilium = { cniVersion: '1.0.0', name: 'cilium', plugins: [{ type: 'cilium-cni' }] };
    await writeFile(join(node.configs, '05-cilium.conflist'), JSON.stringify(cilium));
    expect((await repair('PW105')).causes).toEqual([['PW105']]);
    expect(await readdir(node.configs)).toContain('05-cilium.conflist.disabled');
  });

  it('Multus attaches pods to another network', async () => {
    const multus = join(node.configs, '00-multus.conf');
    const write = (clusterNetwork: string) =>
      writeFile(multus, JSON.stringify({ cniVersion: '1.0.0', name: 'multus', type: 'multus-shim', clusterNetwork }));
    const bridge = { cniVersion: '1.0.0', name: 'bridges', plugins: [{ type: 'bridge' }] };
    await writeFile(join(node.configs, '05-bridge.conflist'), JSON.stringify(bridge));
    await write(join(node.configs, '05-bridge.conflist'));
    const { causes, fix } = await doctor(node);
    expect(causes).toEqual([['PW111']]);
    for (const command of fix) await shell.paste(command);
    // Multus, which does not run here, now chooses the first file that is left.
    await write(node.conflistPath);
    expect(await doctor(node)).toEqual(HEALTHY);
    await write(join(node.configs, '05-bridge.conflist'));
    expect((await doctor(node)).causes).toEqual([['PW111']]); // the file is missing
    await rm(multus);
  });

  it('9. a plugin is missing', async () => {
    await rm(join(node.programs, 'host-local'));
    expect((await repair('PW103')).causes).toEqual([['PW103']]);
  });

  it('10. the plugins are on a file system that is mounted noexec', async () => {
    const host = hostNamespace();
    await host.exec('mount', '-t', 'tmpfs', '-o', 'noexec,mode=0755', 'noexec', node.programs);
    await node.install();
    expect((await repair('PW104')).causes).toEqual([['PW104']]);
    await host.exec('umount', '--lazy', node.programs);
  });

  it('11. the MTU was written after pods had started', async () => {
    const pod = await node.attach('web');
    await mkdir('/var/lib/calico', { recursive: true });
    await writeFile('/var/lib/calico/mtu', '1450\n');
    const { fix } = await repair('PW502');
    expect(fix).toEqual([`kubectl -n default delete pod ${pod.name}`]);
    await rm('/var/lib/calico', { recursive: true });
  });

  it('12. the node has no default route', async () => {
    const host = hostNamespace();
    await host.ip('-4', 'route', 'del', 'default');
    expect((await repair('PW501')).causes).toEqual([['PW501']]);
    await host.ip('route', 'del', '169.254.1.1/32', 'dev', 'lo');
    await host.ip('route', 'add', 'default', 'via', '192.0.2.1');
  });

  it('13. another program has a route in the podCIDR', async () => {
    const host = hostNamespace();
    await host.ip('link', 'add', 'other0', 'type', 'veth', 'peer', 'name', 'other1');
    for (const name of ['other0', 'other1']) await host.ip('link', 'set', name, 'up');
    await host.ip('route', 'add', `${await nextAddress(node)}/32`, 'dev', 'other0');
    const pod = await node.attach('web');
    expect(pod.added.stdout).toContain('[PW308]');
    const { causes } = await repair('PW308', { retry: () => pod.retry() });
    expect(causes).toEqual([['PW308', 'PW602']]);
    await pod.remove();
    await host.ip('link', 'del', 'other0');
  });

  it('14. the renewer is dead', async () => {
    const issued = nowSeconds() - 23 * HOUR_SECONDS;
    await rewriteToken({ iat: issued, nbf: issued, exp: issued + 24 * HOUR_SECONDS });
    const { stdout } = await node.podwire('doctor', '--kubeconfig', node.adminKubeconfigPath);
    expect(stdout).toContain('pod podwire-7xk2f, container "token": Pending, not ready');
    expect(stdout).toContain('its log   INFO the log of the renewer');
    const { causes } = await repair('PW405');
    expect(causes).toEqual([['PW405']]);
  });

  it('15. the clock is off by a day', async () => {
    await using relay = await startClockRelay(node.cluster, () => serverAheadMs);
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    await writeFile(node.kubeconfigPath, relay.rewrite(kubeconfig));
    serverAheadMs = 24 * HOUR_SECONDS * 1000;
    const { causes } = await repair('PW204');
    expect(causes[0]?.[0]).toBe('PW204');
    await writeFile(node.kubeconfigPath, kubeconfig);
  });
});

describe('doctor on a node with few addresses', () => {
  it('6. the range is full, because containers have left their leases', async () => {
    await using small = await startDoctorNode({ podCIDRs: ['10.72.0.0/29'] });
    await using within = await startNodeShell(small);
    const kept = await small.attach('kept');
    for (const name of ['lost-1', 'lost-2', 'lost-3', 'lost-4']) await (await small.attach(name)).forget();
    await age(small);
    const refused = await small.attach('refused');
    expect(refused.added.stdout).toContain('no IP addresses available in range set');
    expect(refused.added.stdout).toContain('[PW305]');
    const { causes, fix } = await repair('PW305', { on: small, within, retry: () => refused.retry() });
    expect({ causes, fix }).toEqual({ causes: [['PW305', 'PW602']], fix: ['podwire gc --yes'] });
    expect(await hostNamespace().ip('link', 'show', kept.hostInterface)).toHaveLength(1);
  });

  it('7. the Node has no podCIDR', async () => {
    await using bare = await startDoctorNode({ podCIDRs: [] });
    await using within = await startNodeShell(bare);
    await bare.cluster.createNode('node-2', { podCIDRs: ['10.73.0.0/24'] });
    const { fix } = await repair('PW301', { on: bare, within, args: ['--kubeconfig', bare.adminKubeconfigPath] });
    expect(fix).toEqual([
      `kubectl patch node node-1 -p '{"spec":{"podCIDR":"10.73.1.0/24","podCIDRs":["10.73.1.0/24"]}}'`,
    ]);
  });
});

describe('doctor on a node of several', () => {
  it('the network outside has no route to pods', async () => {
    await using outside = await startOutsideServer(node.cluster);
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    await writeFile(node.kubeconfigPath, outside.rewrite(kubeconfig));
    expect(await doctor(node)).toEqual(HEALTHY);
    expect((await doctor(node, '--try')).causes).toEqual([['PW803']]);
    await expectReadable(node, ['--try']);
    await outside.addRoute('10.71.0.0/24');
    expect(await doctor(node, '--try')).toEqual(HEALTHY);
    const { stdout } = await node.podwire('doctor', '--try', '--verbose');
    expect(stdout).toContain('PW803  an answer comes back to a pod from 198.51.100.2');
    await writeFile(node.kubeconfigPath, kubeconfig);
  });

  it('a route to one of the other nodes is missing', async () => {
    const host = hostNamespace();
    for (const [name, podCIDR] of [
      ['node-2', '10.71.1.0/24'],
      ['node-3', '10.71.2.0/24'],
    ]) {
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      await node.cluster.admin.create('/api/v1/nodes', {
        metadata: { name },
        spec: { podCIDR, podCIDRs: [podCIDR] },
        status,
      });
    }
    const args = ['--kubeconfig', node.adminKubeconfigPath];
    expect(await doctor(node, ...args)).toEqual(HEALTHY);
    await host.ip('route', 'add', '10.71.1.0/24', 'via', '192.0.2.1');
    expect((await doctor(node, ...args)).causes).toEqual([['PW801']]);
    await expectReadable(node, args);
    await host.ip('route', 'add', '10.71.2.0/24', 'via', '192.0.2.1');
    expect(await doctor(node, ...args)).toEqual(HEALTHY);
    for (const name of ['node-2', 'node-3']) await node.cluster.admin.delete(`/api/v1/nodes/${name}`);
    for (const podCIDR of ['10.71.1.0/24', '10.71.2.0/24']) await host.ip('route', 'del', podCIDR);
  });
});

/** The address that host-local leases next: it continues after the last one. */
async function nextAddress({ leases }: DoctorNode): Promise<string> {
  const last = await readFile(join(leases, 'k8s-pod-network/last_reserved_ip.0'), 'utf8');
  return last.trim().replace(/\d+$/, (number) => `${Number(number) + 1}`);
}

/** Makes records and leases older than those that a runtime may still be working on. */
async function age({ leases }: DoctorNode): Promise<void> {
  const before = new Date(Date.now() - 5 * 60_000);
  for (const folder of [join(leases, 'k8s-pod-network'), '/var/lib/podwire/networks/k8s-pod-network']) {
    for (const name of await readdir(folder)) await utimes(join(folder, name), before, before);
  }
}

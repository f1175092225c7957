import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDoctorNode, type DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { startOutsideServer } from '../../lab/doctor-node/outside-server.ts';
import { memberText } from '../../lab/member.ts';
import { hostNamespace, makeSandbox } from '../../lab/namespaces/network-namespace.ts';
import { until } from '../../lab/until.ts';
import { doctor, HEALTHY, repairAs, type Surroundings } from './doctor-report.ts';
import { startNodeShell, type NodeShell } from './node-shell.ts';

// Faults of the machine and of the network around it. As in broken-nodes.test.ts, doctor must name the cause first, and the
// commands that it prints must make the node healthy again.

const host = hostNamespace();

let node: DoctorNode;
let shell: NodeShell;
let stopFirewalld = async (): Promise<void> => {};

beforeAll(async () => {
  node = await startDoctorNode();
  shell = await startNodeShell(node, () => stopFirewalld());
});
afterAll(async () => {
  await shell[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

const repair = (first: string, surroundings: Partial<Surroundings> = {}) =>
  repairAs(first, { on: node, within: shell, ...surroundings });
const nft = (...rules: readonly string[]) => host.exec('sh', '-c', rules.map((rule) => `nft '${rule}'`).join(' && '));

/** Whether a pod reaches a server outside of the node, with a real connection: what the findings are about. */
async function makeOutside() {
  const outside = await makeSandbox();
  await host.ip('link', 'add', 'beyond0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.path);
  await host.ip('address', 'add', '203.0.113.1/24', 'dev', 'beyond0');
  await host.ip('link', 'set', 'beyond0', 'up');
  await outside.ip('address', 'add', '203.0.113.2/24', 'dev', 'eth0');
  await outside.ip('link', 'set', 'eth0', 'up');
  await outside.ip('route', 'add', '10.71.0.0/24', 'via', '203.0.113.1');
  return {
    outside,
    async [Symbol.asyncDispose]() {
      await host.ip('link', 'del', 'beyond0');
      await outside.remove();
    },
  };
}

describe('firewalls', () => {
  beforeEach(async () => expect(await doctor(node)).toEqual(HEALTHY));

  it.each([
    ['iptables', 'iptables -P FORWARD DROP', ['iptables -P FORWARD ACCEPT', 'iptables -F FORWARD']],
    [
      'nftables',
      "nft add table inet guard; nft 'add chain inet guard fw { type filter hook forward priority 0; policy drop; }'",
      ['nft delete table inet guard'],
    ],
  ])('%s drops forwarded packets: after the fix, a pod reaches a server outside', async (_what, breaks, restores) => {
    await using _network = await makeOutside();
    const pod = await node.attach('web');
    const reaches = () =>
      pod.sandbox.exec('ping', '-c', '1', '-W', '1', '203.0.113.2').then(
        () => true,
        () => false,
      );
    expect(await reaches()).toBe(true);
    await host.exec('sh', '-c', breaks);
    expect(await reaches()).toBe(false);
    expect((await repair('PW503')).causes).toEqual([['PW503']]);
    expect(await reaches()).toBe(true);
    for (const command of restores) await host.exec('sh', '-c', command);
    await pod.remove();
  });

  it('firewalld rejects forwarded packets', async () => {
    // The rules that firewalld 1.3 writes for a machine whose interfaces are in the zone public.
    await nft(
      'add table inet firewalld',
      'add chain inet firewalld filter_FORWARD { type filter hook forward priority filter + 10; policy accept; }',
      'add chain inet firewalld filter_FWD_public',
      'add rule inet firewalld filter_FORWARD ct state established,related accept',
      'add rule inet firewalld filter_FORWARD ct status dnat accept',
      'add rule inet firewalld filter_FORWARD iifname "lo" accept',
      'add rule inet firewalld filter_FORWARD ct state invalid drop',
      'add rule inet firewalld filter_FORWARD iifname "uplink" jump filter_FWD_public',
      'add rule inet firewalld filter_FWD_public reject with icmpx admin-prohibited',
      'add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited',
    );
    stopFirewalld = async () => void (await host.exec('nft', 'delete', 'table', 'inet', 'firewalld'));
    const { causes, fix } = await repair('PW508');
    expect({ causes, fix }).toEqual({ causes: [['PW508']], fix: ['systemctl disable --now firewalld'] });
  });
});

describe('the kernel', () => {
  beforeEach(async () => expect(await doctor(node)).toEqual(HEALTHY));

  it('a strict reverse path filter drops packets that arrive on another interface', async () => {
    await using network = await makeOutside();
    await host.exec('sysctl', '-qw', 'net.ipv4.conf.beyond0.rp_filter=1');
    // The route back to this sender leads to the uplink. The filter drops its ARP requests, too, without counting them.
    await network.outside.ip('address', 'add', '192.0.2.77/32', 'dev', 'eth0');
    const mac = memberText((await host.ip('link', 'show', 'beyond0'))[0], 'address');
    await network.outside.ip('neigh', 'add', '203.0.113.1', 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent');
    const flood = ['ping', '-q', '-c', '400', '-i', '0.002', '-w', '3', '-I', '192.0.2.77', '203.0.113.1'] as const;
    await network.outside.exec(...flood).catch(() => undefined);
    const { causes, fix } = await repair('PW507');
    expect(causes).toEqual([['PW507']]);
    expect(fix).toContain('sysctl -w net.ipv4.conf.beyond0.rp_filter=2');
  });

  it('a setting of the interface of a pod was changed', async () => {
    const pod = await node.attach('web');
    await host.exec('sysctl', '-qw', `net.ipv4.conf.${pod.hostInterface}.proxy_arp=0`);
    const { causes, fix } = await repair('PW601');
    expect(causes).toEqual([['PW601']]);
    expect(fix).toEqual([`sysctl -w net.ipv4.conf.${pod.hostInterface}.proxy_arp=1`]);
    await pod.remove();
  });

  it('the file system of podwire’s native code is mounted noexec', async () => {
    await host.exec('mount', '-t', 'tmpfs', '-o', 'noexec,mode=0700', 'noexec', '/var/lib/podwire');
    const pod = await node.attach('web');
    expect(pod.added.stdout).toContain('[PW109]');
    const { causes } = await repair('PW109', { retry: () => pod.retry() });
    expect(causes[0]).toEqual(expect.arrayContaining(['PW109', 'PW602']));
    await pod.remove();
    await host.exec('umount', '--lazy', '/var/lib/podwire');
  });
});

describe('files and processes', () => {
  it('a record is damaged', async () => {
    const records = '/var/lib/podwire/networks/k8s-pod-network';
    await mkdir(records, { recursive: true });
    const path = join(records, 'damaged@eth0.record.json');
    await writeFile(path, '{"not": "a record"', { mode: 0o600 });
    const before = new Date(Date.now() - 5 * 60_000);
    await utimes(path, before, before);
    expect((await repair('PW603')).causes).toEqual([['PW603']]);
    expect(await readdir(records)).not.toContain('damaged@eth0.record.json');
  });

  it('portmap does not masquerade', async () => {
    const conflist = await readFile(node.conflistPath, 'utf8');
    await writeFile(node.conflistPath, conflist.replace(/"snat": true/, '"snat": false'));
    expect((await repair('PW509')).causes).toEqual([['PW509']]);
    expect(await readFile(node.conflistPath, 'utf8')).toBe(conflist);
  });

  it('Felix runs, and the reverse path filter is loose', async () => {
    const felix = spawn(process.execPath, ['-e', 'process.stdin.resume(); console.log(1)', '--', '-felix'], {
      argv0: 'calico-node',
      env: {},
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(felix.stdout, 'data');
    await host.exec('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=2');
    const { causes, fix } = await repair('PW507');
    expect({ causes, fix }).toEqual({ causes: [['PW507']], fix: ['sysctl -w net.ipv4.conf.all.rp_filter=0'] });
    await host.exec('sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0');
    felix.kill();
    await once(felix, 'exit');
  });
});

describe('the network around the node', () => {
  it('has no route to pods: the printed rule masquerades them', async () => {
    await using outside = await startOutsideServer(node.cluster);
    const kubeconfig = await readFile(node.kubeconfigPath, 'utf8');
    await writeFile(node.kubeconfigPath, outside.rewrite(kubeconfig));
    const args = ['--try', '--kubeconfig', node.adminKubeconfigPath];
    const { fix } = await repair('PW803', { args });
    expect(fix).toEqual(['iptables -t nat -A POSTROUTING -s 10.71.0.0/24 ! -d 10.71.0.0/24 -j MASQUERADE']);
    await host.exec('iptables', '-t', 'nat', '-F', 'POSTROUTING');
    await writeFile(node.kubeconfigPath, kubeconfig);
  });

  it('a route to one of the other nodes is missing: the printed command adds it', async () => {
    const { admin } = node.cluster;
    for (const [name, podCIDR, address] of [
      ['node-2', '10.71.1.0/24', '192.0.2.2'],
      ['node-3', '10.71.2.0/24', '192.0.2.3'],
    ] as const) {
      await node.cluster.createNode(name, { podCIDRs: [podCIDR] });
      const conditions = [{ type: 'Ready', status: 'True' }];
      await admin.patch(`/api/v1/nodes/${name}/status`, {
        status: { conditions, addresses: [{ type: 'InternalIP', address }] },
      });
    }
    await host.ip('route', 'add', '10.71.1.0/24', 'via', '192.0.2.2');
    const { causes, fix } = await repair('PW801', { args: ['--kubeconfig', node.adminKubeconfigPath] });
    expect({ causes, fix }).toEqual({
      causes: [['PW801']],
      fix: ['ip route add 10.71.2.0/24 via 192.0.2.3'],
    });
    for (const podCidr of ['10.71.1.0/24', '10.71.2.0/24']) await host.ip('route', 'del', podCidr);
    for (const name of ['node-2', 'node-3']) await admin.delete(`/api/v1/nodes/${name}`);
    await until('the node is healthy', async () => (await doctor(node)).verdict === 'ok');
  });
});

import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readlink, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { hostInterfaceName } from '../../../src/plan/host-interface-name.ts';
import {
  hostNamespace,
  makeSandbox,
  type NetworkNamespace,
  type Sandbox,
} from '../../lab/namespaces/network-namespace.ts';
import { until } from '../../lab/until.ts';
import { NODE_NAME, WEB, type LoopbackNode } from '../../support/nodes/loopback-node.ts';
import type { NodeState } from '../../support/nodes/node-state.ts';
import { startFresh } from '../../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
startFresh((fresh) => ({ node, sandbox, before } = fresh));

/** Changes a setting of a namespace until the test ends. */
async function change(where: NetworkNamespace, key: string, value: number): Promise<void> {
  const previous = await where.readSysctl(key);
  await where.exec('sh', '-c', `echo ${value} > /proc/sys/${key}`);
  const restore = () => where.exec('sh', '-c', `echo ${previous} > /proc/sys/${key}`);
  // A sandbox is gone by then, and its settings with it.
  onTestFinished(() =>
    restore().then(
      () => undefined,
      () => undefined,
    ),
  );
}

const add = (call: Partial<Parameters<LoopbackNode['run']>[0]> = {}) =>
  node.run({ verb: 'ADD', sandboxPath: sandbox.path, ...call });

async function expectDetached(): Promise<void> {
  expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
  expect(await node.state()).toEqual(before);
}

describe('duplicate address detection', () => {
  const isSkipped = (where: string, change_: () => Promise<void>) =>
    it(`that is on ${where} delays no address of a pod`, async () => {
      await change_();
      expect(await add()).toMatchObject({ exitCode: 0, stderr: '' });
      const host = hostNamespace();
      expect(await sandbox.exec('ip', '-6', 'address', 'show', 'dev', 'eth0', 'tentative')).toBe('');
      expect(await host.exec('ip', '-6', 'address', 'show', 'tentative')).not.toContain('cali');
      await sandbox.exec('ping', '-6', '-c', '1', '-W', '1', '-w', '1', 'fe80::ecee:eeff:feee:eeee%eth0');
      for (const namespace of [host, sandbox]) {
        const links = await namespace.ip('-details', 'link', 'show', 'type', 'veth');
        for (const link of links.filter((each) => /cali|"eth0"/.test(JSON.stringify(each)))) {
          expect(link).toMatchObject({ inet6_addr_gen_mode: 'eui64' });
        }
      }
      await expectDetached();
    });
  const key = 'net/ipv6/conf/all/accept_dad';
  isSkipped('nowhere', async () => undefined);
  isSkipped('in the sandbox', () => change(sandbox, key, 1));
  isSkipped('on the node', () => change(hostNamespace(), key, 1));
  isSkipped('in both, as strict as it can be', async () => {
    await change(sandbox, key, 2);
    await change(hostNamespace(), key, 2);
  });
});

describe('a setting that cannot be written', () => {
  const warns = (why: string, mount: string, warning: RegExp) =>
    it(`is a warning, and the pod is attached: ${why}`, async () => {
      const within = ['unshare', '--mount', 'sh', '-ec', `${mount}; exec "$0"`];
      const added = await add({ within });
      expect(added).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(warning) });
      const config = node.netconf({ cniVersion: '1.0.0', prevResult: added.answer ?? {} });
      expect(await node.run({ verb: 'CHECK', sandboxPath: sandbox.path, config, within })).toMatchObject({
        exitCode: 0,
      });
      await expectDetached();
    });
  const hidden = '/proc/sys/net/ipv4/neigh';
  warns(
    'proxy_delay is missing, as in an unprivileged container',
    `mount -t tmpfs none ${hidden}`,
    /WARNING cannot write sysctl .*proxy_delay = 0 \(host\): the file does not exist \(ENOENT\); continuing without it: .*0\.8 s/,
  );
  warns(
    'proxy_delay is read-only',
    `mount --bind ${hidden} ${hidden}; mount -o remount,bind,ro ${hidden}`,
    /WARNING cannot write sysctl .*proxy_delay = 0 \(host\): .*\(EROFS\)/,
  );

  it('is an error where the pod would have no network, and nothing is left', async () => {
    const folder = '/proc/sys/net/ipv4/conf';
    const within = [
      'unshare',
      '--mount',
      'sh',
      '-ec',
      `mount --bind ${folder} ${folder}; mount -o remount,bind,ro ${folder}; exec "$0"`,
    ];
    const { exitCode, answer } = await add({ within });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 101 });
    expect(answer?.['msg']).toMatch(/proxy_arp = 1 \(host\)/);
    expect(await node.state()).toEqual(before);
  });
});

/** An IPAM configuration that can lease only one address. */
const only = (address: string, subnet: string): JsonObject => ({
  ranges: [[{ subnet, rangeStart: address, rangeEnd: address }]],
});
const ip = (...words: readonly string[]) => hostNamespace().exec('ip', ...words);

/** Runs `ip` until the test ends, and then the same with another verb. */
async function ipUntilEnd(undo: string, [object = '', verb = '', ...words]: readonly string[]): Promise<void> {
  await ip(object, verb, ...words);
  onTestFinished(() =>
    ip(object, undo, ...words).then(
      () => undefined,
      () => undefined,
    ),
  );
}

describe('a lease of an address of the node itself', () => {
  const refused = (address: string, length: number, subnet: string) =>
    it(`is refused, names the interface and is released: ${address}`, async () => {
      await ipUntilEnd('delete', ['address', 'add', `${address}/${length}`, 'dev', 'uplink']);
      const taken = await node.state();
      const { exitCode, answer } = await add({ config: node.netconf({ ipam: only(address, subnet) }) });
      expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 102 });
      expect(answer?.['msg']).toMatch(new RegExp(`${address}, which is an address of this node itself .*uplink`));
      expect(await node.state()).toEqual(taken);
      expect(await sandbox.ip('link', 'show')).toHaveLength(1);
    });
  refused('10.77.0.9', 32, '10.77.0.0/24');
  refused('10.77.0.9', 24, '10.77.0.0/24');
  refused('fd77::9', 128, 'fd77::/64');
});

describe('the gateway of pods', () => {
  const warning = /WARNING .*has no route to it through another interface .*"ip route add 169\.254\.1\.1\/32 dev lo"/;
  const reaches = () =>
    sandbox.exec('ping', '-c', '1', '-W', '1', '192.0.2.10').then(
      () => true,
      () => false,
    );

  it('that the node does not answer for is a warning of ADD and of STATUS, with the command that helps', async () => {
    await ip('route', 'delete', 'default');
    onTestFinished(async () => void (await ip('route', 'replace', 'default', 'via', '192.0.2.1')));
    expect(await add()).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(warning) });
    expect(await reaches()).toBe(false);
    const config = node.netconf({ cniVersion: '1.1.0' });
    const asked = () => node.run({ verb: 'STATUS', config });
    expect(await asked()).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(warning) });
    await ipUntilEnd('delete', ['route', 'add', '169.254.1.1/32', 'dev', 'lo']);
    expect(await asked()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await reaches()).toBe(true);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
  });

  it('that is an address of the node is a warning if arp_ignore makes the node ignore it', async () => {
    await ipUntilEnd('delete', ['address', 'add', '169.254.1.1/32', 'dev', 'lo']);
    await change(hostNamespace(), 'net/ipv4/conf/all/arp_ignore', 1);
    expect(await add()).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/WARNING .*arp_ignore is 1/) });
    expect(await reaches()).toBe(false);
    expect(await node.run({ verb: 'DEL', sandboxPath: sandbox.path })).toMatchObject({ exitCode: 0 });
  });

  it.each([1, 2, 3, 8])('and the pod answer with arp_ignore %i, which the sandbox inherits', async (value) => {
    await change(hostNamespace(), 'net/ipv4/conf/all/arp_ignore', value);
    await change(sandbox, 'net/ipv4/conf/all/arp_ignore', value);
    const added = await add();
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    const address = /"(10\.73\.\d+\.\d+)\/32"/.exec(added.stdout)?.[1] ?? '';
    await hostNamespace().exec('ping', '-c', '1', '-W', '1', address);
    expect(await reaches()).toBe(true);
    await expectDetached();
  });
});

describe('a host interface that has the route to the leased address', () => {
  const address = '10.78.0.9';
  const config = () => node.netconf({ ipam: only(address, '10.78.0.0/24') });
  const owner = { containerId: 'c9', pod: { namespace: 'default', name: 'owner', uid: 'owner-uid' } };

  /** Attaches another pod, and lets its lease be given away again. */
  async function attachOwner(): Promise<Sandbox> {
    const other = await makeSandbox();
    const { namespace, name, uid } = owner.pod;
    node.api.putPod({ metadata: { namespace, name, uid, annotations: {} }, spec: { nodeName: NODE_NAME } });
    expect(await add({ ...owner, sandboxPath: other.path, config: config() })).toMatchObject({ exitCode: 0 });
    await rm(node.dataDir, { recursive: true });
    return other;
  }

  it('keeps it if its pod is alive: the error names the pod', async () => {
    await using other = await attachOwner();
    const { exitCode, answer } = await add({ config: config() });
    expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 104 });
    expect(answer?.['msg']).toMatch(/interface cali\w+ \(podwire c9 eth0 \S+ default\/owner\) already has a route/);
    expect(await node.run({ verb: 'DEL', ...owner, sandboxPath: other.path })).toMatchObject({ exitCode: 0 });
    expect(await node.state()).toEqual(before);
  });

  it('loses it if its pod is gone', async () => {
    const other = await attachOwner();
    // A process that stays in the namespace keeps it, and with it the interface, after the runtime has removed its file.
    const holder = spawn('nsenter', [`--net=${other.path}`, 'sleep', '60']);
    await once(holder, 'spawn');
    await until('a process in the namespace', async () =>
      (await readlink(`/proc/${holder.pid}/exe`)).endsWith('sleep'),
    );
    await other.remove();
    const added = await add({ config: config() });
    holder.kill();
    expect(added).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/WARNING replaced the route to 10\.78/) });
    expect(await node.run({ verb: 'DEL', ...owner })).toMatchObject({ exitCode: 0 });
    expect(await hostNamespace().ip('route', 'show', address)).toHaveLength(1);
    await expectDetached();
  });
});

describe('packets of a pod to 127.0.0.1 of the node', () => {
  const name = hostInterfaceName('cali', { pod: WEB, interfaceName: 'eth0', containerId: 'c1' }, (text) =>
    hash('sha1', text),
  );
  const isSetTo = (
    why: string,
    value: string,
    overrides: JsonObject,
    prepare: () => Promise<void> = async () => undefined,
  ) =>
    it(`${value === '1' ? 'can pass' : 'cannot pass'}: ${why}`, async () => {
      await prepare();
      expect(await add({ config: node.netconf(overrides) })).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await hostNamespace().readSysctl(`net/ipv4/conf/${name}/route_localnet`)).toBe(value);
      await expectDetached();
    });
  const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
  isSetTo('nothing asks for it', '0', {});
  isSetTo('nothing asks for it, and it is the default of the node', '0', {}, () =>
    change(hostNamespace(), 'net/ipv4/conf/default/route_localnet', 1),
  );
  isSetTo('the configuration asks for it', '1', { route_localnet: true });
  isSetTo('the runtime maps ports', '1', { runtimeConfig: { portMappings } });
  isSetTo('the runtime maps ports, but the configuration forbids it', '0', {
    runtimeConfig: { portMappings },
    route_localnet: false,
  });
  isSetTo('the agent of Calico is on the node', '1', {}, async () => {
    await mkdir('/var/lib/calico', { recursive: true });
    await writeFile('/var/lib/calico/nodename', 'fault-node');
    onTestFinished(() => rm('/var/lib/calico', { recursive: true }));
  });
});

it('ranges that the runtime adds for another family lease addresses of that family too', async () => {
  const config = node.netconf({
    ipam: { ranges: [[{ subnet: 'usePodCidr' }]] },
    runtimeConfig: { ipRanges: [[{ subnet: 'fd79::/64' }]] },
  });
  const added = await add({ config });
  expect(added).toMatchObject({ exitCode: 0, stderr: '' });
  expect(added.stdout).toMatch(/10\.73\./);
  expect(added.stdout).toMatch(/fd79:/);
  await expectDetached();
});

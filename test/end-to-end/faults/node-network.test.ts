import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../src/json/json.ts';
import { hostNamespace, type NetworkNamespace, type Sandbox } from '../../lab/namespaces/network-namespace.ts';
import { startFresh } from '../../support/begins-fresh.ts';
import type { LoopbackNode } from '../../support/loopback-node.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: JsonObject;
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
    /WARNING cannot write sysctl .*proxy_delay = 0 \(host\): there is no such file \(ENOENT\); continuing without it: .*0\.8 s/,
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

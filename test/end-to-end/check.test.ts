import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/json/json.ts';
import { makeLoopbackPod, type LoopbackPod } from '../support/nodes/loopback-pod.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import type { EndedExecutable } from '../lab/run-executable.ts';
import { memberText } from '../lab/member.ts';
import { ANNOTATION, type NodeState } from '../support/nodes/node-state.ts';
import { addressesIn } from '../lab/result-addresses.ts';

let node: LoopbackNode;
let before: NodeState;
beforeAll(async () => {
  node = await startLoopbackNode();
});
beforeEach(async () => {
  before = await node.state();
});
afterEach(async () => {
  await node.api.setFault(undefined);
  expect(await node.state()).toEqual(before);
});
afterAll(() => node[Symbol.asyncDispose]());

/** An attached pod, and the configuration that a runtime passes to CHECK. */
interface ExpectedState extends AsyncDisposable {
  readonly pod: LoopbackPod;
  readonly ipv4: string;
  readonly ipv6: string;
  check(): Promise<EndedExecutable>;
}

async function attach(name: string, overrides: JsonObject = {}): Promise<ExpectedState> {
  await using made = new AsyncDisposableStack();
  const pod = made.use(await makeLoopbackPod(node, name));
  const config = node.netconf(overrides);
  const added = await node.run({ verb: 'ADD', config, ...pod.call });
  made.defer(async () => void (await node.run({ verb: 'DEL', config, ...pod.call })));
  expect(added).toMatchObject({ exitCode: 0 });
  const [ipv4 = '', ipv6 = ''] = addressesIn(added.answer);
  const prevResult = added.answer ?? {};
  const running = made.move();
  return {
    pod,
    ipv4,
    ipv6,
    check: () => node.run({ verb: 'CHECK', config: { ...config, prevResult }, ...pod.call }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

describe('CHECK of an attachment that was damaged lists each difference, code 106', () => {
  const host = (...words: readonly string[]) => hostNamespace().exec('ip', ...words);
  const DAMAGES: Readonly<
    Record<string, readonly [damage: (attached: ExpectedState) => Promise<unknown>, ...RegExp[]]>
  > = {
    'the container’s IPv4 address': [
      ({ pod, ipv4 }) => pod.sandbox.exec('ip', 'address', 'del', `${ipv4}/32`, 'dev', 'eth0'),
      /^address of eth0 \(sandbox\): expected 10\.73\.0\.\d+\/32, got none$/,
    ],
    'the container’s IPv6 address': [
      ({ pod, ipv6 }) => pod.sandbox.exec('ip', 'address', 'del', `${ipv6}/128`, 'dev', 'eth0'),
      /^address of eth0 \(sandbox\): expected fd73::[\da-f]+\/128, got none$/,
    ],
    'the container’s default route': [
      ({ pod }) => pod.sandbox.exec('ip', 'route', 'del', 'default'),
      /^route to 0\.0\.0\.0\/0 \(sandbox\): expected via 169\.254\.1\.1 dev eth0, got none$/,
    ],
    'the container’s IPv6 default route': [
      ({ pod }) => pod.sandbox.exec('ip', '-6', 'route', 'del', 'default'),
      /^route to ::\/0 \(sandbox\): expected via fe80::ecee:eeff:feee:eeee dev eth0, got none$/,
    ],
    'the host’s route to the pod': [
      ({ ipv4 }) => host('route', 'del', `${ipv4}/32`),
      /^route to 10\.73\.0\.\d+\/32 \(host\): expected dev cali\w+, got none$/,
    ],
    'the host’s IPv6 route to the pod': [
      ({ ipv6 }) => host('-6', 'route', 'del', `${ipv6}/128`),
      /^route to fd73::[\da-f]+\/128 \(host\): expected dev cali\w+, got none$/,
    ],
    'the host interface’s MAC': [
      ({ pod }) => host('link', 'set', pod.hostInterface, 'address', 'ee:ee:ee:ee:ee:ef'),
      /^MAC of cali\w+ \(host\): expected ee:ee:ee:ee:ee:ee, got ee:ee:ee:ee:ee:ef$/,
    ],
    'the container interface’s MAC': [
      ({ pod }) => pod.sandbox.exec('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:07'),
      /^MAC of eth0 \(sandbox\): expected [\da-f:]{17}, got 02:00:00:00:00:07$/,
    ],
    'the host interface’s MTU': [
      ({ pod }) => host('link', 'set', pod.hostInterface, 'mtu', '1300'),
      /^MTU of cali\w+ \(host\): expected 1400, got 1300$/,
    ],
    'a setting of the host interface': [
      ({ pod }) => hostNamespace().exec('sh', '-c', `echo 0 > /proc/sys/net/ipv4/conf/${pod.hostInterface}/proxy_arp`),
      /^net\/ipv4\/conf\/cali\w+\/proxy_arp \(host\): expected 1, got 0$/,
    ],
    'both interfaces, gone': [
      ({ pod }) => host('link', 'del', pod.hostInterface),
      /^interface cali\w+ \(host\): expected a veth, got none$/,
      /^interface eth0 \(sandbox\): expected a veth, got none$/,
    ],
    'the container interface, another of its name': [
      ({ pod }) =>
        pod.sandbox.exec('sh', '-c', 'ip link set eth0 name old && ip link add eth0 type veth peer name other'),
      /^cali\w+ \(host\) and eth0 \(sandbox\): expected one veth pair, got ends of two veth pairs$/,
    ],
    'the container interface, down': [
      ({ pod }) => pod.sandbox.exec('ip', 'link', 'set', 'eth0', 'down'),
      /^interface eth0 \(sandbox\): expected up, got down$/,
    ],
    'the host interface, down': [
      ({ pod }) => host('link', 'set', pod.hostInterface, 'down'),
      /^interface cali\w+ \(host\): expected up, got down$/,
    ],
    'the endpoint’s addresses': [
      async ({ pod }) =>
        node.api.putPod({
          metadata: { ...pod.call.pod, annotations: { [`${ANNOTATION}containerID`]: pod.containerId } },
          spec: {},
        }),
      /^annotation cni\.projectcalico\.org\/podIP of pod default\/\w+: expected 10\.73\.0\.\d+\/32, got none$/,
      /^annotation cni\.projectcalico\.org\/podIPs of pod default\/\w+: expected 10\.73\.0\.\d+\/32,fd73::[\da-f]+\/128, got none$/,
    ],
    'the pod, another of its name': [
      async ({ pod }) => node.api.putPod({ metadata: { ...pod.call.pod, uid: 'other' }, spec: {} }),
      /^uid of pod default\/\w+: expected uid-\w+, got other$/,
    ],
    'the pod, deleted': [
      async ({ pod }) => node.api.deletePod('default', pod.name),
      /^pod default\/\w+: expected on the API server, got deleted$/,
    ],
    'three things at once': [
      async ({ pod, ipv4 }) => {
        await host('route', 'del', `${ipv4}/32`);
        await pod.sandbox.exec('ip', 'route', 'del', 'default');
        await pod.sandbox.exec('ip', 'address', 'del', `${ipv4}/32`, 'dev', 'eth0');
      },
      /^route to 0\.0\.0\.0\/0 \(sandbox\)/,
      /^address of eth0 \(sandbox\)/,
      /^route to 10\.73\.0\.\d+\/32 \(host\)/,
    ],
  };
  it.each(Object.entries(DAMAGES).map(([what, [damage, ...differences]]) => [what, damage, differences] as const))(
    '%s',
    async (_, damage, differences) => {
      await using attached = await attach('damaged', { mtu: 1400 });
      expect(await attached.check()).toMatchObject({ exitCode: 0, stdout: '' });
      await damage(attached);
      const { exitCode, answer } = await attached.check();
      expect({ exitCode, code: answer?.['code'] }).toEqual({ exitCode: 1, code: 106 });
      const listed = memberText(answer, 'details').split('; ');
      for (const difference of differences) expect(listed).toContainEqual(expect.stringMatching(difference));
      expect(answer?.['msg']).toContain(`differs from the result of its ADD in ${listed.length} points`);
    },
  );
});

describe('CHECK', () => {
  it('raises no false alarm: 20 attachments, each checked 10 times', async ({ task }) => {
    const ended: EndedExecutable[] = [];
    const lane = async (first: number): Promise<void> => {
      for (let index = first; index < 20; index += 4) {
        await using attached = await attach(`calm${index}`);
        for (let times = 0; times < 10; times++) ended.push(await attached.check());
      }
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    expect(ended.filter(({ exitCode, stdout }) => exitCode !== 0 || stdout !== '')).toEqual([]);
    recordFigure(task, {
      fault: 'CHECK right after ADD, as CRI-O does, and later',
      promise: 'no false alarm',
      measured: `${ended.length} CHECKs of 20 attachments, 0 alarms`,
    });
  });

  it('with the lease gone gives the delegate’s own error', async () => {
    await using attached = await attach('leaseless');
    const folder = join(node.dataDir, memberText(node.netconf(), 'name'));
    const leases = (await readdir(folder)).filter((name) => [attached.ipv4, attached.ipv6].includes(name));
    expect(leases).toHaveLength(2);
    for (const name of leases) await rm(join(folder, name));
    const { exitCode, answer } = await attached.check();
    expect(exitCode).toBe(1);
    expect(answer?.['msg']).toMatch(/^host-local: Failed to find address added by container id-leaseless/);
  });

  it('without the API fails with code 11 and changes nothing', async () => {
    await using attached = await attach('away');
    const standing = await node.state();
    await node.api.setFault({ kind: 'refuse' });
    expect(await attached.check()).toMatchObject({ exitCode: 1, answer: { code: 11 } });
    expect(await node.state()).toEqual(standing);
    await node.api.setFault(undefined);
    expect(await attached.check()).toMatchObject({ exitCode: 0 });
  });

  it.each(['0.4.0', '1.0.0', '1.1.0'])('compares with a prevResult of version %s', async (cniVersion) => {
    await using attached = await attach('versioned', { cniVersion });
    expect(await attached.check()).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('without prevResult is refused, code 7', async () => {
    await using attached = await attach('resultless');
    const ended = await node.run({ verb: 'CHECK', config: node.netconf(), ...attached.pod.call });
    expect(ended).toMatchObject({ exitCode: 1, answer: { code: 7 } });
  });
});

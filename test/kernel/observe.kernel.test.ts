import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { listLinks, observeSteps } from '../../src/kernel/observe.ts';
import { findDrift } from '../../src/plan/drift.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { Step } from '../../src/plan/step.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';
import { acknowledge, kernelDouble } from '../support/kernel/kernel-double.ts';
import { attachedPod, dualStackFacts, podPlace, sandboxInKernel } from '../support/kernel/attached-pod.ts';

describe('an attachment', () => {
  it('that has not changed is as planned', async () => {
    const { drifts } = await attachedPod(podPlace('observe', 1));
    expect(await drifts()).toEqual([]);
  });

  it('with every optional fact is as planned', async () => {
    const mac = parseMacAddress('1e:05:be:ef:00:01');
    const { drifts } = await attachedPod(podPlace('observe', 2), {
      mac,
      mtuBytes: 1400,
      queueCount: 2,
      routes: [
        { destination: parseCidr('192.168.0.0/16'), mtuBytes: 1300, advertisedMssBytes: 1200, priority: 7 },
        { destination: parseCidr('fd77::/48'), table: 300 },
      ],
      includeDefaultRoutes: true,
      allowIpForwarding: true,
    });
    expect(await drifts()).toEqual([]);
  });

  it('is observed step by step', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    const steps = planAttachmentSteps(attachmentFacts({ hostInterface: { name: 'caliobs3', alias: 'a' } }));
    await kernel.apply(steps, sandbox);
    const observations = await kernel.observe(steps, sandbox);
    expect(observations.map(({ step }) => step)).toEqual(steps);
    expect(observations[0]).toMatchObject({
      kind: 'create-veth',
      host: { name: 'caliobs3', mac: 'ee:ee:ee:ee:ee:ee', linkKind: 'veth' },
      container: { name: 'eth0', mtuBytes: 1500, linkKind: 'veth' },
    });
    expect(observations.at(-1)).toEqual({
      kind: 'add-route',
      step: steps.at(-1),
      routes: [
        {
          interface: 'caliobs3',
          gateway: undefined,
          scope: 253,
          priority: 0,
          table: 254,
          protocol: 3,
          mtuBytes: undefined,
          advertisedMssBytes: undefined,
        },
      ],
    });
    expect(observations).toContainEqual(
      expect.objectContaining({ kind: 'add-address', addresses: [parseCidr('10.0.0.5/32')] }),
    );
    const gateway = parseIpAddress('169.254.1.1');
    expect(observations).toContainEqual(
      expect.objectContaining({
        kind: 'add-route',
        routes: [expect.objectContaining({ interface: 'eth0', gateway, scope: 0 })],
      }),
    );
  });

  it('is observed on a host with thousands of routes', async () => {
    const { host, drifts } = await attachedPod(podPlace('observe', 4));
    const flush = 'for net in $(seq 100 115); do ip route flush root 10.$net.0.0/16; done';
    onTestFinished(async () => {
      await host.exec('sh', '-c', flush);
    });
    const routes =
      'for net in $(seq 100 115); do for subnet in $(seq 0 255); do echo route add 10.$net.$subnet.0/24 dev uplink; done; done';
    await host.exec('sh', '-c', `${routes} | ip -batch -`);
    await host.exec(
      'sh',
      '-c',
      'for host in $(seq 1 100); do echo route add 10.100.0.$host/32 dev uplink; done | ip -batch -',
    );
    expect(await drifts()).toEqual([]);
  });
});

describe('a pod that has very many routes', () => {
  it('does not decide how many of them are kept, and is as planned', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    const place = podPlace('observe', 90);
    const steps = planAttachmentSteps(dualStackFacts(place));
    await kernel.apply(steps, sandbox);
    await pod.exec('ip', 'link', 'set', 'lo', 'up');
    const others =
      'seq 0 29999 | while read n; do echo route add 10.$((n / 65536 + 100)).$((n / 256 % 256)).$((n % 256))/32 dev lo; done';
    const sameDestination = 'seq 1 3000 | while read n; do echo route add default dev lo metric $n; done';
    await pod.exec('sh', '-c', `(${others}; ${sameDestination}) | ip -batch -`);
    const observations = await kernel.observe(steps, sandbox);
    expect(findDrift(observations)).toEqual([]);
    for (const each of observations) if (each.kind === 'add-route') expect(each.routes.length).toBeLessThan(40);
  });
});

describe('a refused read', () => {
  it('of all interfaces is an error that names them', async () => {
    const ENOMEM = 12;
    const refusing = kernelDouble((requests) => requests.map((message) => acknowledge(message, ENOMEM)));
    using socket = new NetlinkSocket(refusing.open);
    await expect(listLinks(socket)).rejects.toThrow('cannot read the interfaces (host): not enough memory (ENOMEM)');
  });

  it('of one interface is an error, and not a missing interface', async () => {
    const EPERM = 1;
    const refusing = kernelDouble((requests) => requests.map((message) => acknowledge(message, EPERM)));
    using socket = new NetlinkSocket(refusing.open);
    const namespace = { socket, run: <Value>(action: () => Value) => action() };
    const steps: readonly Step[] = [{ kind: 'set-up', in: 'host', interface: 'cali1' }];
    await expect(observeSteps(steps, { host: namespace, sandbox: namespace })).rejects.toMatchObject({
      object: 'interface cali1 (host)',
      errnoName: 'EPERM',
    });
  });
});

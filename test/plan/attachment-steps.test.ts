import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../src/address/cidr.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import type { Step } from '../../src/plan/step.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';

const DUAL = ['10.0.0.5', 'fd00::5'];

describe('planAttachmentSteps', () => {
  it('an IPv4 pod has the veth, the settings, "up", routes before addresses, and the host route last', () => {
    expect(planAttachmentSteps(attachmentFacts()).map(describeStep)).toEqual([
      'create cali54a674feafd ee:ee:ee:ee:ee:ee with eth0',
      'sandbox net/ipv4/conf/all/arp_ignore=0 instead of 2,8',
      'sandbox net/ipv4/conf/eth0/arp_ignore=0 instead of 2,8',
      'host net/ipv4/neigh/cali54a674feafd/proxy_delay=0',
      'host net/ipv4/conf/cali54a674feafd/proxy_arp=1',
      'host net/ipv4/conf/cali54a674feafd/forwarding=1',
      'host net/ipv4/conf/cali54a674feafd/route_localnet=1',
      'host net/ipv6/conf/cali54a674feafd/accept_ra=0 if there',
      'host cali54a674feafd up',
      'sandbox eth0 up',
      'sandbox route 169.254.1.1/32 dev eth0 scope link',
      'sandbox route 0.0.0.0/0 via 169.254.1.1 dev eth0 scope global',
      'sandbox address 10.0.0.5/32 dev eth0',
      'sandbox net/ipv4/ip_forward=0',
      'host route 10.0.0.5/32 dev cali54a674feafd scope link',
    ]);
  });

  it('an IPv6 pod has the link-local address derived from the host MAC as its gateway', () => {
    expect(planAttachmentSteps(attachmentFacts({ addresses: ['fd00::5'] })).map(describeStep)).toEqual([
      'create cali54a674feafd ee:ee:ee:ee:ee:ee with eth0',
      'sandbox net/ipv6/conf/all/disable_ipv6=0',
      'sandbox net/ipv6/conf/default/disable_ipv6=0',
      'sandbox net/ipv6/conf/lo/disable_ipv6=0',
      'sandbox net/ipv6/conf/eth0/accept_dad=0',
      'host net/ipv6/conf/cali54a674feafd/accept_dad=0',
      'host net/ipv6/conf/cali54a674feafd/addr_gen_mode=0',
      'host net/ipv6/conf/cali54a674feafd/disable_ipv6=0',
      'host net/ipv6/conf/cali54a674feafd/proxy_ndp=1',
      'host net/ipv6/conf/cali54a674feafd/forwarding=1',
      'host net/ipv6/conf/cali54a674feafd/accept_ra=0 if there',
      'host cali54a674feafd up',
      'sandbox eth0 up',
      'sandbox route ::/0 via fe80::ecee:eeff:feee:eeee dev eth0 scope global',
      'sandbox address fd00::5/128 dev eth0',
      'sandbox net/ipv6/conf/all/forwarding=0',
      'host route fd00::5/128 dev cali54a674feafd scope link',
    ]);
  });

  it('a dual-stack pod has all settings of both families before any link is up', () => {
    const steps = planAttachmentSteps(attachmentFacts({ addresses: DUAL }));
    const firstUp = steps.findIndex(({ kind }) => kind === 'set-up');
    const interfaceSettings = steps.flatMap((step, index) =>
      step.kind === 'write-sysctl' && !/ip_forward|all\/forwarding/.test(step.key) ? [index] : [],
    );
    expect(Math.max(...interfaceSettings)).toBeLessThan(firstUp);
  });

  it('forwarding in the pod is enabled only if the network configuration allows it', () => {
    const settings = (allowIpForwarding: boolean) =>
      planAttachmentSteps(attachmentFacts({ addresses: DUAL, allowIpForwarding }))
        .map(describeStep)
        .filter((text) => /ip_forward|all\/forwarding/.test(text));
    expect(settings(true)).toEqual(['sandbox net/ipv4/ip_forward=1', 'sandbox net/ipv6/conf/all/forwarding=1']);
    expect(settings(false)).toEqual(['sandbox net/ipv4/ip_forward=0', 'sandbox net/ipv6/conf/all/forwarding=0']);
  });

  it('MTU, queues, MAC and alias are part of the step that creates the veth', () => {
    const [create] = planAttachmentSteps(attachmentFacts({ mtuBytes: 1400, queueCount: 2 }));
    expect(create).toMatchObject({
      kind: 'create-veth',
      mtuBytes: 1400,
      queueCount: 2,
      host: { alias: 'podwire c1 eth0 net default/rec' },
    });
  });
});

describe('the routes of the pod', () => {
  const routes = (name: string, given: Parameters<typeof attachmentFacts>[0], expected: readonly string[]) =>
    it(name, () => {
      const actual = planAttachmentSteps(attachmentFacts(given)).flatMap((step) =>
        step.kind === 'add-route' && step.in === 'sandbox' && step.route.gateway !== undefined
          ? [formatCidr(step.route.destination)]
          : [],
      );
      expect(actual).toEqual(expected);
    });
  const to = (...destinations: string[]) => destinations.map((text) => ({ destination: parseCidr(text) }));

  routes('without requested routes, each family has its default route', { addresses: DUAL }, ['0.0.0.0/0', '::/0']);
  routes('requested routes replace the default routes', { routes: to('10.96.0.0/12') }, ['10.96.0.0/12']);
  routes(
    'requested routes can be added to the default routes',
    { routes: to('10.96.0.0/12'), includeDefaultRoutes: true },
    ['0.0.0.0/0', '10.96.0.0/12'],
  );
  routes('a requested default route is not added twice', { routes: to('0.0.0.0/0'), includeDefaultRoutes: true }, [
    '0.0.0.0/0',
  ]);
  routes('requested routes of a family without an address are left out', { routes: to('10.96.0.0/12', 'fd96::/112') }, [
    '10.96.0.0/12',
  ]);
  routes('host bits are cleared, because the kernel rejects them', { routes: to('10.96.1.1/12') }, ['10.96.0.0/12']);

  it('of the first network must not be taken; those of a further network yield', () => {
    const whenTaken = (interfaceName: string) =>
      planAttachmentSteps(attachmentFacts({ interfaceName })).flatMap((step) =>
        step.kind === 'add-route' ? `${step.in} ${formatCidr(step.route.destination)} ${step.whenTaken}` : [],
      );
    expect(whenTaken('eth0')).toEqual([
      'sandbox 169.254.1.1/32 append',
      'sandbox 0.0.0.0/0 fail',
      'host 10.0.0.5/32 fail',
    ]);
    expect(whenTaken('net1')).toEqual([
      'sandbox 169.254.1.1/32 append',
      'sandbox 0.0.0.0/0 yield',
      'host 10.0.0.5/32 fail',
    ]);
  });

  it('a route keeps its own metric, table and MTU', () => {
    const [route] = to('10.96.0.0/12');
    const given = {
      ...route,
      destination: parseCidr('10.96.0.0/12'),
      priority: 100,
      table: 7,
      mtuBytes: 1300,
      advertisedMssBytes: 1200,
    };
    const steps = planAttachmentSteps(attachmentFacts({ routes: [given] }));
    expect(steps.find((step) => step.kind === 'add-route' && step.route.priority === 100)).toMatchObject({
      route: { priority: 100, table: 7, mtuBytes: 1300, advertisedMssBytes: 1200, scope: 'global' },
    });
  });
});

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'create-veth':
      return `create ${step.host.name} ${step.host.mac} with ${step.container.name}`;
    case 'write-sysctl':
      return `${step.in} ${step.key}=${step.value}${step.whenMissing === 'skip' ? ' if there' : ''}${step.ifValueIn === undefined ? '' : ` instead of ${step.ifValueIn.join(',')}`}`;
    case 'set-up':
      return `${step.in} ${step.interface} up`;
    case 'add-route': {
      const { destination, gateway, scope } = step.route;
      const via = gateway === undefined ? '' : ` via ${gateway.text}`;
      return `${step.in} route ${formatCidr(destination)}${via} dev ${step.interface} scope ${scope}`;
    }
    case 'add-address':
      return `${step.in} address ${formatCidr(step.address)} dev ${step.interface}`;
    default:
      return step satisfies never;
  }
}

import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { applySteps } from '../../src/kernel/apply.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { Route, Step } from '../../src/plan/step.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';
import { kernelDouble } from '../support/kernel/kernel-double.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';
import { sandboxInKernel } from '../support/kernel/attached-pod.ts';

const HOST_MAC = parseMacAddress('ee:ee:ee:ee:ee:ee');

function createVeth(name: string, overrides: Partial<Extract<Step, { kind: 'create-veth' }>> = {}): Step {
  return {
    kind: 'create-veth',
    host: { name, mac: HOST_MAC, alias: `podwire c1 eth0 default/${name}` },
    container: { name: 'eth0', mac: undefined },
    mtuBytes: undefined,
    queueCount: undefined,
    ...overrides,
  };
}

function addRoute(name: string, destination: string, overrides: Partial<Route> = {}): Step {
  const route = { gateway: undefined, scope: 'link', ...overrides, destination: parseCidr(destination) } as const;
  return { kind: 'add-route', in: 'host', interface: name, route, whenTaken: 'fail' };
}

const setUp = (name: string): Step => ({ kind: 'set-up', in: 'host', interface: name });

/** Objects of iproute2, reduced to the given keys at every level. */
function pickKeys(objects: readonly unknown[], keys: readonly string[]): unknown {
  const text = JSON.stringify(objects, ['addr_info', 'linkinfo', 'info_kind', ...keys]);
  return JSON.parse(text);
}

const ADDRESS_KEYS = ['family', 'local', 'prefixlen', 'scope'];
const ROUTE_KEYS = ['dst', 'gateway', 'dev', 'protocol', 'scope', 'metric', 'pref'];

describe('a pod with both families', () => {
  it('is configured as the plugin of Calico configures it', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    const host = hostNamespace();
    const name = 'calidual';
    const facts = attachmentFacts({
      hostInterface: { name, alias: 'podwire c1 eth0 default/rec' },
      addresses: ['10.71.0.2', 'fd71::2'],
    });
    await kernel.apply(planAttachmentSteps(facts), sandbox);

    const hostLink = await host.ip('-d', 'link', 'show', name);
    const podLink = await pod.ip('-d', 'link', 'show', 'eth0');
    const veth = { mtu: 1500, inet6_addr_gen_mode: 'eui64', linkinfo: { info_kind: 'veth' } };
    expect(hostLink).toEqual([
      expect.objectContaining({
        ...veth,
        address: HOST_MAC,
        ifalias: 'podwire c1 eth0 default/rec',
        flags: expect.arrayContaining(['UP', 'LOWER_UP']),
      }),
    ]);
    expect(podLink).toEqual([expect.objectContaining({ ...veth, flags: expect.arrayContaining(['UP', 'LOWER_UP']) })]);
    expect(podLink).not.toEqual([expect.objectContaining({ address: HOST_MAC })]);

    expect(pickKeys(await host.ip('address', 'show', name), ADDRESS_KEYS)).toEqual([
      { addr_info: [{ family: 'inet6', local: 'fe80::ecee:eeff:feee:eeee', prefixlen: 64, scope: 'link' }] },
    ]);
    expect(pickKeys(await pod.ip('address', 'show', 'eth0'), ADDRESS_KEYS)).toEqual([
      {
        addr_info: [
          { family: 'inet', local: '10.71.0.2', prefixlen: 32, scope: 'global' },
          { family: 'inet6', local: 'fd71::2', prefixlen: 128, scope: 'global' },
          { family: 'inet6', local: expect.stringMatching(/^fe80::/), prefixlen: 64, scope: 'link' },
        ],
      },
    ]);
    expect(pickKeys(await host.ip('route', 'show', 'dev', name), ROUTE_KEYS)).toEqual([
      { dst: '10.71.0.2', scope: 'link' },
    ]);
    expect(pickKeys(await host.ip('-6', 'route', 'show', 'dev', name), ROUTE_KEYS)).toEqual([
      { dst: 'fd71::2', metric: 1024, pref: 'medium' },
      { dst: 'fe80::/64', protocol: 'kernel', metric: 256, pref: 'medium' },
    ]);
    expect(pickKeys(await pod.ip('route'), ROUTE_KEYS)).toEqual([
      { dst: 'default', gateway: '169.254.1.1', dev: 'eth0' },
      { dst: '169.254.1.1', dev: 'eth0', scope: 'link' },
    ]);
    expect(pickKeys(await pod.ip('-6', 'route'), ROUTE_KEYS)).toEqual([
      { dst: 'fd71::2', dev: 'eth0', protocol: 'kernel', metric: 256, pref: 'medium' },
      { dst: 'fe80::/64', dev: 'eth0', protocol: 'kernel', metric: 256, pref: 'medium' },
      { dst: 'default', gateway: 'fe80::ecee:eeff:feee:eeee', dev: 'eth0', metric: 1024, pref: 'medium' },
    ]);

    const sysctls = async (where: typeof pod, keys: readonly string[]) =>
      Promise.all(keys.map(async (key) => `${key} = ${await where.readSysctl(key)}`));
    const hostSettings = [
      ['route_localnet', 'proxy_arp', 'forwarding'].map((key) => `net/ipv4/conf/${name}/${key} = 1`),
      ['proxy_ndp', 'forwarding'].map((key) => `net/ipv6/conf/${name}/${key} = 1`),
      ['accept_dad', 'disable_ipv6', 'accept_ra'].map((key) => `net/ipv6/conf/${name}/${key} = 0`),
      [`net/ipv4/neigh/${name}/proxy_delay = 0`],
    ].flat();
    const podSettings = [
      'net/ipv4/ip_forward = 0',
      'net/ipv6/conf/all/forwarding = 0',
      'net/ipv6/conf/eth0/accept_dad = 0',
      ...['all', 'default', 'eth0', 'lo'].map((key) => `net/ipv6/conf/${key}/disable_ipv6 = 0`),
    ];
    const keyOf = (setting: string) => setting.split(' ')[0] ?? '';
    expect(await sysctls(host, hostSettings.map(keyOf))).toEqual(hostSettings);
    expect(await sysctls(pod, podSettings.map(keyOf))).toEqual(podSettings);
  });
});

describe('a veth', () => {
  it('has the MTU, the MAC and the queues of the step at both ends', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    const mac = parseMacAddress('1e:05:be:ef:00:01');
    await kernel.apply(
      [createVeth('calimtu', { container: { name: 'eth0', mac }, mtuBytes: 1400, queueCount: 3 })],
      sandbox,
    );
    const queues = { mtu: 1400, num_tx_queues: 3, num_rx_queues: 3 };
    expect(await pod.ip('-d', 'link', 'show', 'eth0')).toEqual([expect.objectContaining({ ...queues, address: mac })]);
    expect(await hostNamespace().ip('-d', 'link', 'show', 'calimtu')).toEqual([
      expect.objectContaining({ ...queues, address: HOST_MAC }),
    ]);
  });

  it('whose host interface exists is an error that names it, and leaves it unchanged', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    const other = await sandboxInKernel();
    await other.kernel.apply([createVeth('calitaken')], other.sandbox);
    const before = await hostNamespace().ip('link', 'show', 'calitaken');
    const host = { name: 'calitaken', mac: HOST_MAC, alias: 'another' };
    await expect(kernel.apply([createVeth('calitaken', { host })], sandbox)).rejects.toMatchObject({
      errnoName: 'EEXIST',
      message: expect.stringContaining('interface calitaken (host)'),
    });
    expect(await hostNamespace().ip('link', 'show', 'calitaken')).toEqual(before);
    expect(pickKeys(await pod.ip('link'), ['ifname'])).toEqual([{ ifname: 'lo' }]);
  });

  it('whose container interface exists is an error that names it', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await kernel.apply([createVeth('califirst')], sandbox);
    await expect(kernel.apply([createVeth('calisecond')], sandbox)).rejects.toThrow('interface eth0 (sandbox)');
    expect(await kernel.observeInterface('host', 'calisecond')).toBeUndefined();
  });
});

describe('a route', () => {
  it('has the metrics, priority, table and scope of the step', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    const overrides = { mtuBytes: 1300, advertisedMssBytes: 1260, priority: 7, table: 1000, scope: 200 };
    await kernel.apply(
      [createVeth('caliroute'), setUp('caliroute'), addRoute('caliroute', '10.7.0.1/32', overrides)],
      sandbox,
    );
    expect(await hostNamespace().ip('route', 'show', 'table', '1000')).toEqual([
      expect.objectContaining({
        dst: '10.7.0.1',
        dev: 'caliroute',
        scope: 'site',
        metric: 7,
        metrics: [{ mtu: 1300, advmss: 1260 }],
      }),
    ]);
  });

  it.each([
    ['10.7.1.1/32', 'calisame4'],
    ['fd07::1/128', 'calisame6'],
  ])('that exists identically is accepted: %s', async (destination, name) => {
    const { kernel, sandbox } = await sandboxInKernel();
    await kernel.apply([createVeth(name), setUp(name), addRoute(name, destination)], sandbox);
    await expect(kernel.apply([addRoute(name, destination)], sandbox)).resolves.toEqual([]);
  });

  it.each([
    ['10.7.2.1/32', 'caliowner4', 'caliwants4'],
    ['fd07::2/128', 'caliowner6', 'caliwants6'],
  ])(
    'that another interface has is an error with that interface as its owner: %s',
    async (destination, owner, name) => {
      const first = await sandboxInKernel();
      const second = await sandboxInKernel();
      await first.kernel.apply([createVeth(owner), setUp(owner), addRoute(owner, destination)], first.sandbox);
      const applying = second.kernel.apply(
        [createVeth(name), setUp(name), addRoute(name, destination)],
        second.sandbox,
      );
      await expect(applying).rejects.toMatchObject({ operation: 'add route', errnoName: 'EEXIST', owner });
      await expect(applying).rejects.toThrow(
        `add route ${destination} on ${name} (host): interface ${owner} (podwire c1 eth0 default/${owner}) already has a route to this destination`,
      );
    },
  );

  it('that exists without an interface is an error without an owner', async () => {
    const { kernel, sandbox } = await sandboxInKernel();
    await hostNamespace().ip('route', 'add', 'blackhole', '10.7.3.1/32', 'proto', 'static');
    const applying = kernel.apply(
      [createVeth('calihole'), setUp('calihole'), addRoute('calihole', '10.7.3.1/32')],
      sandbox,
    );
    await expect(applying).rejects.toMatchObject({ errnoName: 'EEXIST', owner: undefined });
  });
});

describe('the error names the step that failed:', () => {
  const fails = (why: string, steps: readonly Step[], message: string) =>
    it(why, async () => {
      const { kernel, sandbox } = await sandboxInKernel();
      await expect(kernel.apply(steps, sandbox)).rejects.toThrow(message);
    });
  const gateway = parseIpAddress('10.9.9.9');
  fails(
    'set up a missing interface',
    [setUp('calinone')],
    'cannot set up interface calinone (host): the interface does not exist (ENODEV)',
  );
  fails(
    'add a route by a missing interface',
    [addRoute('calinone', '10.7.4.1/32')],
    'cannot find interface calinone (host)',
  );
  fails(
    'add an address twice',
    [0, 1].map(() => ({ kind: 'add-address', in: 'sandbox', interface: 'lo', address: parseCidr('10.7.4.2/32') })),
    'cannot add address 10.7.4.2/32 to lo (sandbox): it already exists (EEXIST)',
  );
  fails(
    'add a route with an unreachable gateway, although the next step fails too',
    [
      createVeth('caligate'),
      setUp('caligate'),
      addRoute('caligate', '10.7.4.3/32', { gateway, scope: 'global' }),
      setUp('calinone'),
    ],
    'cannot add route 10.7.4.3/32 on caligate (host): its gateway cannot be reached over this interface (ENETUNREACH)',
  );
  fails(
    'write a missing sysctl',
    [
      {
        kind: 'write-sysctl',
        in: 'sandbox',
        key: 'net/ipv4/conf/calinone/forwarding',
        value: '1',
        whenMissing: 'fail',
      },
    ],
    'cannot write sysctl net/ipv4/conf/calinone/forwarding = 1 (sandbox): the file does not exist (ENOENT)',
  );
});

it('an empty list of steps sends no request', async () => {
  using socket = new NetlinkSocket(kernelDouble().open);
  const namespace = { socket, run: <Value>(action: () => Value) => action() };
  await expect(applySteps([], { host: namespace, sandbox: namespace, netnsFd: -1 })).resolves.toEqual([]);
});

describe('a further network of the sandbox', () => {
  it('gets its routes with the next free lower priority, in both families, before those of a third', async () => {
    const { kernel, sandbox, pod } = await sandboxInKernel();
    for (const [index, interfaceName] of ['eth0', 'net1', 'net2'].entries()) {
      const name = `califur${index}`;
      const facts = attachmentFacts({
        hostInterface: { name, alias: `podwire c1 ${interfaceName} net ` },
        interfaceName,
        addresses: [`10.71.9.${index + 1}`, `fd71::9:${index + 1}`],
      });
      await kernel.apply(planAttachmentSteps(facts), sandbox);
    }
    const keys = ['dev', 'metric'];
    expect(pickKeys(await pod.ip('route', 'show', 'default'), keys)).toEqual([
      { dev: 'eth0' },
      { dev: 'net1', metric: 1 },
      { dev: 'net2', metric: 2 },
    ]);
    expect(pickKeys(await pod.ip('-6', 'route', 'show', 'default'), keys)).toEqual([
      { dev: 'eth0', metric: 1024 },
      { dev: 'net1', metric: 1025 },
      { dev: 'net2', metric: 1026 },
    ]);
  });
});

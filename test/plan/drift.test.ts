import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { findDrift, formatDrift, type Observation, type ObservedRoute } from '../../src/plan/drift.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { Place, Route, Step } from '../../src/plan/step.ts';
import { attachmentFacts } from '../support/attachment-facts.ts';

type Of<Kind extends Step['kind'], From = Step> = Extract<From, { kind: Kind }>;

const MAC = parseMacAddress('1e:05:be:ef:00:01');
const HOST_MAC = parseMacAddress('ee:ee:ee:ee:ee:ee');

const expectDrift = (why: string, step: Step, observed: Observation, expected: string) =>
  it(why, () => expect(formatDrift(findDrift([step], [observed]))).toBe(expected));

const NO_DRIFT = '';

describe('a veth', () => {
  const host = { mac: HOST_MAC, mtuBytes: 1500, linkKind: 'veth' };
  const container = { mac: MAC, mtuBytes: 1500, linkKind: 'veth' };
  const planned = { host: { name: 'cali1', mac: HOST_MAC, alias: 'a' }, container: { name: 'eth0', mac: undefined } };
  const veth = (
    why: string,
    asked: Partial<Of<'create-veth'>>,
    found: Partial<Of<'create-veth', Observation>>,
    expected: string,
  ) => {
    const step = { kind: 'create-veth', ...planned, mtuBytes: undefined, queueCount: undefined, ...asked } as const;
    expectDrift(why, step, { kind: 'create-veth', host, container, arePeers: true, ...found }, expected);
  };
  const split = { arePeers: false };
  const ofMac = { container: { name: 'eth0', mac: MAC } };
  const none = 'wanted a veth, found none';
  const other = { ...container, mac: parseMacAddress('1e:05:be:ef:00:02') };
  const low = 1400;

  veth('as planned', {}, {}, NO_DRIFT);
  veth('without host end', {}, { ...split, host: undefined }, `interface cali1 (host): ${none}`);
  veth('without container end', {}, { ...split, container: undefined }, `interface eth0 (sandbox): ${none}`);
  veth(
    'whose ends are of another kind, and of none',
    {},
    { ...split, host: { ...host, linkKind: 'tun' }, container: { ...container, linkKind: undefined } },
    'interface cali1 (host): wanted a veth, found a tun; interface eth0 (sandbox): wanted a veth, found one of no kind',
  );
  veth('of two', {}, split, 'cali1 (host) and eth0 (sandbox): wanted one veth pair, found ends of two');
  veth(
    'with another host MAC',
    {},
    { host: { ...host, mac: MAC } },
    `MAC of cali1 (host): wanted ${HOST_MAC}, found ${MAC}`,
  );
  veth('with any container MAC, where none was asked for', {}, { container: other }, NO_DRIFT);
  veth('with the container MAC that was asked for', ofMac, {}, NO_DRIFT);
  veth('with another', ofMac, { container: other }, `MAC of eth0 (sandbox): wanted ${MAC}, found ${other.mac}`);
  veth('with any MTU, where none was asked for', {}, { host: { ...host, mtuBytes: low } }, NO_DRIFT);
  veth('with the MTU that was asked for', { mtuBytes: 1500 }, {}, NO_DRIFT);
  veth(
    'with a lower MTU at the host end',
    { mtuBytes: 1500 },
    { host: { ...host, mtuBytes: low } },
    'MTU of cali1 (host): wanted 1500, found 1400',
  );
  veth(
    'with a lower MTU at the container end, as tuning sets it',
    { mtuBytes: 1500 },
    { container: { ...container, mtuBytes: low } },
    NO_DRIFT,
  );
  veth(
    'with a larger MTU at the container end',
    { mtuBytes: low },
    { host: { ...host, mtuBytes: low } },
    'MTU of eth0 (sandbox): wanted 1400, found 1500',
  );
});

describe('a setting', () => {
  const HOST = 'net/ipv4/conf/cali1/forwarding';
  const setting = (
    why: string,
    overrides: Partial<Of<'write-sysctl'>>,
    value: string | undefined,
    expected: string,
  ) => {
    const step = {
      kind: 'write-sysctl',
      in: 'host',
      key: HOST,
      value: '0',
      whenMissing: 'fail',
      ...overrides,
    } as const;
    expectDrift(why, step, { kind: 'write-sysctl', value }, expected);
  };
  const inPod = (key: string) => ({ in: 'sandbox', key: `net/${key}` }) as const;

  setting('as planned', {}, '0', NO_DRIFT);
  setting('with another value', {}, '1', `${HOST} (host): wanted 0, found 1`);
  setting('that is missing', {}, undefined, `${HOST} (host): wanted 0, found none`);
  setting('that may be missing', { whenMissing: 'skip' }, undefined, NO_DRIFT);
  setting('that may be missing, and differs', { whenMissing: 'skip' }, '1', `${HOST} (host): wanted 0, found 1`);
  setting('forwarding IPv4 in the pod', inPod('ipv4/ip_forward'), '1', NO_DRIFT);
  setting('forwarding IPv6 in the pod', inPod('ipv6/conf/all/forwarding'), '1', NO_DRIFT);
  setting('accept_dad in the pod', inPod('ipv6/conf/eth0/accept_dad'), '1', NO_DRIFT);
  setting('IPv6 of lo in the pod', inPod('ipv6/conf/lo/disable_ipv6'), '1', NO_DRIFT);
  setting(
    'IPv6 in the pod',
    inPod('ipv6/conf/all/disable_ipv6'),
    '1',
    'net/ipv6/conf/all/disable_ipv6 (sandbox): wanted 0, found 1',
  );
});

describe('a state', () => {
  const state = (why: string, isUp: boolean | undefined, expected: string) =>
    expectDrift(why, { kind: 'set-up', in: 'sandbox', interface: 'eth0' }, { kind: 'set-up', isUp }, expected);
  state('up', true, NO_DRIFT);
  state('down', false, 'interface eth0 (sandbox): wanted up, found down');
  state('of nothing', undefined, 'interface eth0 (sandbox): wanted up, found none');
});

describe('an address', () => {
  const step = { kind: 'add-address', in: 'sandbox', interface: 'eth0', address: parseCidr('10.0.0.5/32') } as const;
  const address = (why: string, found: readonly string[], expected: string) =>
    expectDrift(why, step, { kind: 'add-address', found: found.map(parseCidr) }, expected);
  const wanted = 'address of eth0 (sandbox): wanted 10.0.0.5/32, found';
  address('as planned', ['10.0.0.5/32'], NO_DRIFT);
  address('with another prefix too', ['10.0.0.5/24', '10.0.0.5/32'], NO_DRIFT);
  address('that is missing', [], `${wanted} none`);
  address('with other prefixes', ['10.0.0.5/24', '10.0.0.5/16'], `${wanted} 10.0.0.5/24 and 10.0.0.5/16`);
});

describe('a route', () => {
  const GATEWAY = parseIpAddress('169.254.1.1');
  const DEFAULTS: ObservedRoute = {
    interface: 'eth0',
    gateway: GATEWAY,
    scope: 0,
    priority: 0,
    table: 254,
    protocol: 3,
    mtuBytes: undefined,
    advertisedMssBytes: undefined,
  };
  const routeIn =
    (place: Place) =>
    (why: string, asked: Partial<Route>, found: readonly Partial<ObservedRoute>[], difference: string) => {
      const route = { destination: parseCidr('10.1.0.0/16'), gateway: GATEWAY, scope: 'global', ...asked } as const;
      const expected = difference === NO_DRIFT ? NO_DRIFT : `route to 10.1.0.0/16 (${place}): ${difference}`;
      const observed = { kind: 'add-route', found: found.map((overrides) => ({ ...DEFAULTS, ...overrides })) } as const;
      expectDrift(
        `${why} (${place})`,
        { kind: 'add-route', in: place, interface: 'eth0', route, whenTaken: 'fail' },
        observed,
        expected,
      );
    };
  const [route, podRoute] = [routeIn('host'), routeIn('sandbox')];
  const VIA = 'via 169.254.1.1 dev';
  const wanted = `wanted ${VIA} eth0, found`;
  const metrics = { mtuBytes: 1400, advertisedMssBytes: 1360 };

  route('as planned', {}, [{}], NO_DRIFT);
  route('among others', {}, [{ interface: 'eth1' }, {}], NO_DRIFT);
  route('that is missing', {}, [], `${wanted} none`);
  route('by another gateway', {}, [{ gateway: parseIpAddress('10.1.0.1') }], `${wanted} via 10.1.0.1 dev eth0`);
  route('without gateway', {}, [{ gateway: undefined }], `${wanted} dev eth0`);
  route('with a gateway', { gateway: undefined }, [{}], `wanted dev eth0, found ${VIA} eth0`);
  route('by others', {}, [{ interface: 'a' }, { interface: 'b' }], `${wanted} ${VIA} a and ${VIA} b`);
  route('by several', {}, [{ interface: undefined, gateway: undefined }], `${wanted} by several interfaces`);
  route('of another scope, priority and protocol', {}, [{ scope: 253, priority: 1024, protocol: 80 }], NO_DRIFT);
  route('in another table', {}, [{ table: 100 }], `${wanted} ${VIA} eth0 table 100`);
  route('in the table of the step', { table: 100 }, [{ table: 100 }], NO_DRIFT);
  route('not in it', { table: 100 }, [{}], `wanted ${VIA} eth0 table 100, found ${VIA} eth0`);
  podRoute("in a table of sbr's", {}, [{ table: 100 }], NO_DRIFT);
  podRoute('by another interface', {}, [{ interface: 'eth1' }], `${wanted} ${VIA} eth1`);
  podRoute('by one that a terminal would obey', {}, [{ interface: '\u001b[2J\u009b' }], `${wanted} ${VIA} ?[2J?`);
  podRoute('with metrics that nobody asked for', {}, [metrics], NO_DRIFT);
  podRoute('with those that were asked for', metrics, [metrics], NO_DRIFT);
  podRoute('of another MTU', { mtuBytes: 9 }, [{ mtuBytes: 8 }], `wanted ${VIA} eth0 mtu 9, found ${VIA} eth0 mtu 8`);
  podRoute('without MSS', { advertisedMssBytes: 9 }, [{}], `wanted ${VIA} eth0 advmss 9, found ${VIA} eth0`);
});

describe('a whole attachment', () => {
  const steps = planAttachmentSteps(attachmentFacts({ addresses: ['10.0.0.5', 'fd00::5'] }));
  const nothing = (step: Step): Observation => {
    if (step.kind === 'create-veth') return { kind: step.kind, host: undefined, container: undefined, arePeers: false };
    if (step.kind === 'write-sysctl') return { kind: step.kind, value: step.in === 'sandbox' ? step.value : undefined };
    return step.kind === 'set-up' ? { kind: step.kind, isUp: undefined } : { kind: step.kind, found: [] };
  };

  it('whose pair is gone is that one difference for each end, not also what the ends had', () => {
    expect(formatDrift(findDrift(steps, steps.map(nothing)))).toBe(
      'interface cali54a674feafd (host): wanted a veth, found none; interface eth0 (sandbox): wanted a veth, found none',
    );
  });

  it('whose pair is gone has routes that lead elsewhere all the same', () => {
    const elsewhere = { interface: 'eth9', gateway: undefined, scope: 0, priority: 0, table: 254, protocol: 3 };
    const observations = steps.map((step): Observation =>
      step.kind === 'add-route' && step.in === 'host' && step.route.destination.prefixLength === 32
        ? { kind: step.kind, found: [{ ...elsewhere, mtuBytes: undefined, advertisedMssBytes: undefined }] }
        : nothing(step),
    );
    expect(findDrift(steps, observations)).toContainEqual({
      what: 'route to 10.0.0.5/32 (host)',
      wanted: 'dev cali54a674feafd',
      found: 'dev eth9',
    });
  });

  it('without differences is an empty text', () => expect(formatDrift([])).toBe(''));

  it('with the observations of other steps is a mistake of the caller', () => {
    expect(() => findDrift(steps, [])).toThrow('create-veth, nothing');
    expect(() => findDrift(steps, steps.map(nothing).toReversed())).toThrow(RangeError);
  });
});

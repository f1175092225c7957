import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { planAttachmentSteps } from '../../src/plan/attachment-steps.ts';
import { findDrift, formatDrift } from '../../src/plan/drift.ts';
import type { Observation, ObservedInterface, ObservedRoute } from '../../src/plan/observation.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { Place, Route, Step, StepOf } from '../../src/plan/step.ts';
import { attachmentFacts } from '../support/builders/attachment-facts.ts';

const MAC = parseMacAddress('1e:05:be:ef:00:01');
const HOST_MAC = parseMacAddress('ee:ee:ee:ee:ee:ee');

const expectDrift = (why: string, observation: Observation, expected: string) =>
  it(why, () => expect(formatDrift(findDrift([observation]))).toBe(expected));

const NO_DRIFT = '';

describe('a veth', () => {
  const end = { mtuBytes: 1500, linkKind: 'veth', alias: undefined, isUp: true };
  const host = { ...end, name: 'cali1', mac: HOST_MAC, index: 7, peerIndex: 2 };
  const container = { ...end, name: 'eth0', mac: MAC, index: 2, peerIndex: 7 };
  const planned = { host: { name: 'cali1', mac: HOST_MAC, alias: 'a' }, container: { name: 'eth0', mac: undefined } };
  const veth = (
    why: string,
    overrides: Partial<StepOf<'create-veth'>>,
    observed: { readonly host?: ObservedInterface | undefined; readonly container?: ObservedInterface | undefined },
    expected: string,
  ) => {
    const step = { kind: 'create-veth', ...planned, mtuBytes: undefined, queueCount: undefined, ...overrides } as const;
    expectDrift(why, { kind: 'create-veth', step, host, container, ...observed }, expected);
  };
  const withMac = { container: { name: 'eth0', mac: MAC } };
  const none = 'expected a veth, got none';
  const twoPairs = 'cali1 (host) and eth0 (sandbox): expected one veth pair, got ends of two veth pairs';
  const other = { ...container, mac: parseMacAddress('1e:05:be:ef:00:02') };
  const low = 1400;

  veth('as planned', {}, {}, NO_DRIFT);
  veth('without its host end', {}, { host: undefined }, `interface cali1 (host): ${none}`);
  veth('without its container end', {}, { container: undefined }, `interface eth0 (sandbox): ${none}`);
  veth(
    'whose ends have another kind and no kind',
    {},
    { host: { ...host, linkKind: 'tun', peerIndex: undefined }, container: { ...container, linkKind: undefined } },
    'interface cali1 (host): expected a veth, got a tun; ' +
      'interface eth0 (sandbox): expected a veth, got an interface of unknown kind',
  );
  veth('whose ends belong to two pairs', {}, { container: { ...container, index: 3, peerIndex: 8 } }, twoPairs);
  veth('whose host end has another peer', {}, { host: { ...host, peerIndex: 3 } }, twoPairs);
  veth('whose container end has another peer', {}, { container: { ...container, peerIndex: 8 } }, twoPairs);
  veth(
    'with another host MAC',
    {},
    { host: { ...host, mac: MAC } },
    `MAC of cali1 (host): expected ${HOST_MAC}, got ${MAC}`,
  );
  veth('with any container MAC, if the step has none', {}, { container: other }, NO_DRIFT);
  veth('with the container MAC of the step', withMac, {}, NO_DRIFT);
  veth(
    'with another container MAC',
    withMac,
    { container: other },
    `MAC of eth0 (sandbox): expected ${MAC}, got ${other.mac}`,
  );
  veth('with any MTU, if the step has none', {}, { host: { ...host, mtuBytes: low } }, NO_DRIFT);
  veth('with the MTU of the step', { mtuBytes: 1500 }, {}, NO_DRIFT);
  veth(
    'with a lower MTU at the host end',
    { mtuBytes: 1500 },
    { host: { ...host, mtuBytes: low } },
    'MTU of cali1 (host): expected 1500, got 1400',
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
    'MTU of eth0 (sandbox): expected 1400, got 1500',
  );
});

describe('a setting', () => {
  const HOST = 'net/ipv4/conf/cali1/forwarding';
  const setting = (
    why: string,
    overrides: Partial<StepOf<'write-sysctl'>>,
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
    expectDrift(why, { kind: 'write-sysctl', step, value }, expected);
  };
  const inPod = (key: string) => ({ in: 'sandbox', key: `net/${key}` }) as const;

  setting('as planned', {}, '0', NO_DRIFT);
  setting('with another value', {}, '1', `${HOST} (host): expected 0, got 1`);
  setting('that is missing', {}, undefined, `${HOST} (host): expected 0, got none`);
  setting('that may be missing', { whenMissing: 'skip' }, undefined, NO_DRIFT);
  setting('that may be missing, and differs', { whenMissing: 'skip' }, '1', `${HOST} (host): expected 0, got 1`);
  setting('forwarding IPv4 in the pod', inPod('ipv4/ip_forward'), '1', NO_DRIFT);
  setting('forwarding IPv6 in the pod', inPod('ipv6/conf/all/forwarding'), '1', NO_DRIFT);
  setting('accept_dad in the pod', inPod('ipv6/conf/eth0/accept_dad'), '1', NO_DRIFT);
  setting('IPv6 of lo in the pod', inPod('ipv6/conf/lo/disable_ipv6'), '1', NO_DRIFT);
  setting(
    'IPv6 in the pod',
    inPod('ipv6/conf/all/disable_ipv6'),
    '1',
    'net/ipv6/conf/all/disable_ipv6 (sandbox): expected 0, got 1',
  );
});

describe('the state of an interface', () => {
  const state = (why: string, isUp: boolean | undefined, expected: string) =>
    expectDrift(why, { kind: 'set-up', step: { kind: 'set-up', in: 'sandbox', interface: 'eth0' }, isUp }, expected);
  state('up', true, NO_DRIFT);
  state('down', false, 'interface eth0 (sandbox): expected up, got down');
  state('that is missing', undefined, 'interface eth0 (sandbox): expected up, got none');
});

describe('an address', () => {
  const step = { kind: 'add-address', in: 'sandbox', interface: 'eth0', address: parseCidr('10.0.0.5/32') } as const;
  const address = (why: string, observed: readonly string[], expected: string) =>
    expectDrift(why, { kind: 'add-address', step, addresses: observed.map(parseCidr) }, expected);
  const expectedBut = 'address of eth0 (sandbox): expected 10.0.0.5/32, got';
  address('as planned', ['10.0.0.5/32'], NO_DRIFT);
  address('with another prefix as well', ['10.0.0.5/24', '10.0.0.5/32'], NO_DRIFT);
  address('that is missing', [], `${expectedBut} none`);
  address('with other prefixes', ['10.0.0.5/24', '10.0.0.5/16'], `${expectedBut} 10.0.0.5/24 and 10.0.0.5/16`);
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
    (why: string, overrides: Partial<Route>, observed: readonly Partial<ObservedRoute>[], difference: string) => {
      const route = { destination: parseCidr('10.1.0.0/16'), gateway: GATEWAY, scope: 'global', ...overrides } as const;
      const expected = difference === NO_DRIFT ? NO_DRIFT : `route to 10.1.0.0/16 (${place}): ${difference}`;
      const step = { kind: 'add-route', in: place, interface: 'eth0', route, whenTaken: 'fail' } as const;
      const routes = observed.map((one) => ({ ...DEFAULTS, ...one }));
      expectDrift(`${why} (${place})`, { kind: 'add-route', step, routes }, expected);
    };
  const route = routeIn('host');
  const podRoute = routeIn('sandbox');
  const VIA = 'via 169.254.1.1 dev';
  const expectedBut = `expected ${VIA} eth0, got`;
  const metrics = { mtuBytes: 1400, advertisedMssBytes: 1360 };

  route('as planned', {}, [{}], NO_DRIFT);
  route('among others', {}, [{ interface: 'eth1' }, {}], NO_DRIFT);
  route('that is missing', {}, [], `${expectedBut} none`);
  route('by another gateway', {}, [{ gateway: parseIpAddress('10.1.0.1') }], `${expectedBut} via 10.1.0.1 dev eth0`);
  route('without gateway', {}, [{ gateway: undefined }], `${expectedBut} dev eth0`);
  route('with a gateway', { gateway: undefined }, [{}], `expected dev eth0, got ${VIA} eth0`);
  route(
    'by two other interfaces',
    {},
    [{ interface: 'a' }, { interface: 'b' }],
    `${expectedBut} ${VIA} a and ${VIA} b`,
  );
  route(
    'with several next hops',
    {},
    [{ interface: undefined, gateway: undefined }],
    `${expectedBut} several next hops`,
  );
  route('of another scope, priority and protocol', {}, [{ scope: 253, priority: 1024, protocol: 80 }], NO_DRIFT);
  route('in another table', {}, [{ table: 100 }], `${expectedBut} ${VIA} eth0 table 100`);
  route('in the table of the step', { table: 100 }, [{ table: 100 }], NO_DRIFT);
  route(
    'in the main table instead of that of the step',
    { table: 100 },
    [{}],
    `expected ${VIA} eth0 table 100, got ${VIA} eth0`,
  );
  podRoute('in a table of the sbr plugin', {}, [{ table: 100 }], NO_DRIFT);
  podRoute('by another interface', {}, [{ interface: 'eth1' }], `${expectedBut} ${VIA} eth1`);
  podRoute(
    'by an interface whose name contains terminal controls',
    {},
    [{ interface: '\u001b[2J\u009b' }],
    `${expectedBut} ${VIA} ?[2J?`,
  );
  podRoute('with metrics that the step does not have', {}, [metrics], NO_DRIFT);
  podRoute('with the metrics of the step', metrics, [metrics], NO_DRIFT);
  podRoute('with another MTU', { mtuBytes: 9 }, [{ mtuBytes: 8 }], `expected ${VIA} eth0 mtu 9, got ${VIA} eth0 mtu 8`);
  podRoute('without the MSS', { advertisedMssBytes: 9 }, [{}], `expected ${VIA} eth0 advmss 9, got ${VIA} eth0`);
});

describe('a whole attachment', () => {
  const steps = planAttachmentSteps(attachmentFacts({ addresses: ['10.0.0.5', 'fd00::5'] }));
  const missing = (step: Step): Observation => {
    switch (step.kind) {
      case 'create-veth':
        return { kind: step.kind, step, host: undefined, container: undefined };
      case 'write-sysctl':
        return { kind: step.kind, step, value: step.in === 'sandbox' ? step.value : undefined };
      case 'set-up':
        return { kind: step.kind, step, isUp: undefined };
      case 'add-route':
        return { kind: step.kind, step, routes: [] };
      case 'add-address':
        return { kind: step.kind, step, addresses: [] };
      default:
        return step satisfies never;
    }
  };

  it('whose veth is missing has one difference for each end, and none for what the ends had', () => {
    expect(formatDrift(findDrift(steps.map(missing)))).toBe(
      'interface cali54a674feafd (host): expected a veth, got none; ' +
        'interface eth0 (sandbox): expected a veth, got none',
    );
  });

  it('whose veth is missing also differs by routes that lead elsewhere', () => {
    const elsewhere = { interface: 'eth9', gateway: undefined, scope: 0, priority: 0, table: 254, protocol: 3 };
    const observations = steps.map((step): Observation =>
      step.kind === 'add-route' && step.in === 'host' && step.route.destination.prefixLength === 32
        ? { kind: step.kind, step, routes: [{ ...elsewhere, mtuBytes: undefined, advertisedMssBytes: undefined }] }
        : missing(step),
    );
    expect(findDrift(observations)).toContainEqual({
      what: 'route to 10.0.0.5/32 (host)',
      expected: 'dev cali54a674feafd',
      actual: 'dev eth9',
    });
  });

  it('without differences is formatted as an empty text', () => expect(formatDrift([])).toBe(''));
});

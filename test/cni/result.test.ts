import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { openReader } from '../../src/json/json-reader.ts';
import { parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { formatResult, isEmptyDns, parseResult, readDns, type CniResult } from '../../src/cni/result.ts';
import { SUPPORTED_VERSIONS } from '../../src/cni/versions.ts';
import { cniFailure, isAnswered } from '../support/suite/cni-failure.ts';
import { JSON_SOURCE } from '../support/builders/json-source.ts';

const FULL: CniResult = {
  interfaces: [
    { name: 'cali54a674feafd', mac: 'ee:ee:ee:ee:ee:ee', mtu: 1500 },
    {
      name: 'eth0',
      mac: '1e:91:92:9b:3f:be',
      mtu: 1450,
      sandbox: '/var/run/netns/rec',
      socketPath: '/s',
      pciID: '0:1',
    },
  ],
  ips: [
    { address: parseCidr('10.71.0.2/32'), gateway: parseIpAddress('10.71.0.1'), interface: 1 },
    { address: parseCidr('10.71.0.3/32'), interface: 1 },
    { address: parseCidr('fd71::2/128'), interface: 0 },
  ],
  routes: [
    {
      dst: parseCidr('0.0.0.0/0'),
      gw: parseIpAddress('10.71.0.1'),
      mtu: 1400,
      advmss: 1360,
      priority: 5,
      table: 0,
      scope: 0,
    },
    { dst: parseCidr('::/0') },
  ],
  dns: { nameservers: ['10.96.0.10'], domain: 'd', search: ['s'], options: ['ndots:5'] },
};
const EMPTY: CniResult = { interfaces: [], ips: [], routes: [], dns: {} };
const DNS = { nameservers: ['10.96.0.10'], domain: 'd', search: ['s'], options: ['ndots:5'] };
const INTERFACES_BEFORE_1_1 = [
  { name: 'cali54a674feafd', mac: 'ee:ee:ee:ee:ee:ee' },
  { name: 'eth0', mac: '1e:91:92:9b:3f:be', sandbox: '/var/run/netns/rec' },
];
const PRINTED_IPS = [
  { address: '10.71.0.2/32', gateway: '10.71.0.1', interface: 1 },
  { address: '10.71.0.3/32', interface: 1 },
  { address: 'fd71::2/128', interface: 0 },
];
const ROUTES_BEFORE_1_1 = [{ dst: '0.0.0.0/0', gw: '10.71.0.1' }, { dst: '::/0' }];

describe('formatResult', () => {
  it.each(['0.1.0', '0.2.0'] as const)('%s has the first address of each family, with its routes', (version) =>
    expect(formatResult(FULL, version)).toEqual({
      cniVersion: version,
      ip4: { ip: '10.71.0.2/32', gateway: '10.71.0.1', routes: [{ dst: '0.0.0.0/0', gw: '10.71.0.1' }] },
      ip6: { ip: 'fd71::2/128', routes: [{ dst: '::/0' }] },
      dns: DNS,
    }),
  );
  it.each(['0.3.0', '0.3.1', '0.4.0'] as const)("%s has each address's version", (version) =>
    expect(formatResult(FULL, version)).toEqual({
      cniVersion: version,
      interfaces: INTERFACES_BEFORE_1_1,
      ips: [
        { version: '4', address: '10.71.0.2/32', gateway: '10.71.0.1', interface: 1 },
        { version: '4', address: '10.71.0.3/32', interface: 1 },
        { version: '6', address: 'fd71::2/128', interface: 0 },
      ],
      routes: ROUTES_BEFORE_1_1,
      dns: DNS,
    }),
  );
  it('1.0.0 has neither those members nor the ones of 1.1.0', () =>
    expect(formatResult(FULL, '1.0.0')).toEqual({
      cniVersion: '1.0.0',
      interfaces: INTERFACES_BEFORE_1_1,
      ips: PRINTED_IPS,
      routes: ROUTES_BEFORE_1_1,
      dns: DNS,
    }));
  it('1.1.0 has all, table and scope 0 too', () =>
    expect(formatResult(FULL, '1.1.0')).toEqual({
      cniVersion: '1.1.0',
      ...FULL,
      ips: PRINTED_IPS,
      routes: [
        { dst: '0.0.0.0/0', gw: '10.71.0.1', mtu: 1400, advmss: 1360, priority: 5, table: 0, scope: 0 },
        { dst: '::/0' },
      ],
    }));

  it.each(['1.0.0', '1.1.0'] as const)('an empty result has only its version in %s', (version) =>
    expect(formatResult(EMPTY, version)).toEqual({ cniVersion: version }),
  );
  it.each(['0.1.0', '0.3.1', '0.4.0'] as const)(
    '%s has an empty dns, as the plugins that it replaces print it',
    (version) => expect(formatResult(EMPTY, version)).toEqual({ cniVersion: version, dns: {} }),
  );
  it('a route of a family without an address is left out before 0.3.0', () =>
    expect(
      formatResult(
        { ...EMPTY, ips: [{ address: parseCidr('10.0.0.1/32') }], routes: [{ dst: parseCidr('::/0') }] },
        '0.2.0',
      ),
    ).toEqual({
      cniVersion: '0.2.0',
      ip4: { ip: '10.0.0.1/32' },
      dns: {},
    }));
});

describe('parseResult', () => {
  it.each(SUPPORTED_VERSIONS)('a result printed in %s can be read again', (version) => {
    const printed = formatResult(FULL, version);
    expect(formatResult(parseResult(printed), version)).toEqual(printed);
  });
  it('nothing of 1.1.0 is lost', () => expect(parseResult(formatResult(FULL, '1.1.0'))).toEqual(FULL));
  it('a result of 0.2.0 becomes one of 1.1.0', () =>
    expect(
      formatResult(
        parseResult({ cniVersion: '0.2.0', ip4: { ip: '10.0.0.1/24', routes: [{ dst: '0.0.0.0/0' }] } }),
        '1.1.0',
      ),
    ).toEqual({ cniVersion: '1.1.0', ips: [{ address: '10.0.0.1/24' }], routes: [{ dst: '0.0.0.0/0' }] }));

  it('without a version it is one of 0.1.0', () =>
    expect(parseResult({ ip6: { ip: 'fd00::1/64' } }).ips).toEqual([{ address: parseCidr('fd00::1/64') }]));
  it("without a version it is one of the configuration's, where that is given", () =>
    expect(parseResult({ ips: [{ address: '10.0.0.1/32' }] }, { assumedVersion: '1.0.0' }).ips).toEqual([
      { address: parseCidr('10.0.0.1/32') },
    ]));
  it('null means an empty list', () =>
    expect(parseResult({ cniVersion: '1.0.0', interfaces: null, ips: null, routes: null, dns: null })).toEqual(EMPTY));
  it('empty strings and zeros of Go programs are absent', () =>
    expect(
      parseResult({ cniVersion: '1.1.0', interfaces: [{ name: 'a', mac: '', mtu: 0, sandbox: '' }] }).interfaces,
    ).toEqual([{ name: 'a' }]));
  it('interface 0 is an index', () =>
    expect(
      parseResult({ cniVersion: '1.0.0', ips: [{ address: '10.0.0.1/32', interface: 0 }] }).ips[0]?.interface,
    ).toBe(0));
  it('members newer than the version are read, since plugins print them', () =>
    expect(parseResult({ cniVersion: '1.0.0', interfaces: [{ name: 'a', mtu: 1400 }] }).interfaces[0]?.mtu).toBe(1400));
  it('addresses become canonical', () =>
    expect(parseResult({ cniVersion: '1.0.0', ips: [{ address: 'FD00:0::1/64', gateway: 'FD00:0::2' }] }).ips).toEqual([
      { address: parseCidr('fd00::1/64'), gateway: parseIpAddress('fd00::2') },
    ]));

  const refuses = (why: string, members: JsonObject, message: RegExp) =>
    it(`refuses ${why}`, () => {
      const error = cniFailure(() => parseResult({ cniVersion: '1.1.0', ...members }));
      expect(error.code).toBe(6);
      expect(error.message).toMatch(message);
    });
  refuses(
    'a version that is not supported',
    { cniVersion: '9.0.0' },
    /"cniVersion" in the result: .*, got the string "9.0.0"/,
  );
  refuses('a version that is a number', { cniVersion: 1 }, /"cniVersion"/);
  refuses('ips that are not a list', { ips: {} }, /"ips" in the result: expected a list, got an object/);
  refuses('an ip that is null', { ips: [null] }, /"ips\[0\]" in the result: expected an object, got null/);
  refuses('an ip without an address', { ips: [{}] }, /"ips\[0\].address" is missing in the result/);
  refuses('an address without a length', { ips: [{ address: '10.0.0.1' }] }, /"ips\[0\].address" .* "10.0.0.1"/);
  refuses('an IPv4 address written as IPv6', { ips: [{ address: '::ffff:10.0.0.1/128' }] }, /"ips\[0\].address"/);
  refuses('an index below 0', { ips: [{ address: '10.0.0.1/32', interface: -1 }] }, /"ips\[0\].interface"/);
  refuses(
    'an interface without a name',
    { interfaces: [{ mac: 'x' }] },
    /"interfaces\[0\].name" is missing in the result/,
  );
  refuses(
    'a route without a destination',
    { routes: [{ gw: '10.0.0.1' }] },
    /"routes\[0\].dst" is missing in the result/,
  );
  refuses('an invalid gateway', { routes: [{ dst: '0.0.0.0/0', gw: 'x' }] }, /"routes\[0\].gw"/);
  refuses('a table below 0', { routes: [{ dst: '0.0.0.0/0', table: -1 }] }, /"routes\[0\].table"/);
  refuses('a scope above 255', { routes: [{ dst: '0.0.0.0/0', scope: 256 }] }, /"routes\[0\].scope"/);
  refuses('a name server that is a number', { dns: { nameservers: [8] } }, /"dns.nameservers\[0\]"/);
  refuses('a bad address of an old result', { cniVersion: '0.2.0', ip4: { ip: 'x' } }, /"ip4.ip"/);

  it('makes the errors of its source', () =>
    expect(cniFailure(() => parseResult({ ip4: [] }, { source: JSON_SOURCE }))).toMatchObject({
      code: 7,
      message: '"ip4" in the test: expected an object, got a list; correct it',
    }));

  it('any JSON object is a result or refused, and what is read can be printed in every version', () => {
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('10.0.0.1/24', 'fd00::1/64', '10.0.0.1', 0, -1, 'eth0', null),
    );
    const entry = fc.record(
      {
        name: value,
        mtu: value,
        address: value,
        interface: value,
        dst: value,
        gw: value,
        table: value,
        ip: value,
        nameservers: value,
      },
      { requiredKeys: [] },
    );
    const list = fc.oneof(fc.array(entry, { maxLength: 3 }), value);
    const members = {
      interfaces: list,
      ips: list,
      routes: list,
      dns: fc.oneof(entry, value),
      ip4: fc.oneof(entry, value),
    };
    const cniVersion = fc.oneof(fc.constantFrom(...SUPPORTED_VERSIONS), fc.string());
    const property = fc.property(fc.record({ cniVersion, ...members }, { requiredKeys: [] }), (raw) =>
      isAnswered(() => {
        const result = parseResult(parseJsonObject(JSON.stringify(raw)));
        for (const version of SUPPORTED_VERSIONS) parseResult(formatResult(result, version));
      }, [6]),
    );
    expect(() => fc.assert(property, { numRuns: 3000 })).not.toThrow();
  });
});

describe('readDns and isEmptyDns', () => {
  const read = (raw: JsonObject) => readDns(openReader(raw, JSON_SOURCE));
  it('empty members are absent', () => expect(read({ nameservers: [], domain: '', search: null })).toEqual({}));
  it.each([{}, { nameservers: [] }, { domain: '' }, { domain: undefined }])('%j is empty', (dns) =>
    expect(isEmptyDns(dns)).toBe(true),
  );
  it.each([{ domain: 'd' }, { options: ['x'] }])('%j is not', (dns) => expect(isEmptyDns(dns)).toBe(false));
});

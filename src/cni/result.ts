import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { CniError, ERROR_CODE } from './error.ts';
import { openReader, type JsonReader, type JsonSource } from '../json/json-reader.ts';
import { omitAbsent, type JsonObject } from '../json/json.ts';
import { ADDRESS, CIDR, TEXT, wholeNumber, type Shape } from '../json/shapes.ts';
import { SUPPORTED_VERSIONS, isAtLeast, type CniVersion } from './versions.ts';

/** A result of any version, in the terms of the newest one. */
export interface CniResult {
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
  readonly dns: ResultDns;
}

export interface ResultInterface {
  readonly name: string;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** CNI_NETNS as given, for an interface of the container. Absent for an interface of the host. */
  readonly sandbox?: string | undefined;
  readonly socketPath?: string | undefined;
  readonly pciID?: string | undefined;
}

export interface ResultIp {
  readonly address: Cidr;
  readonly gateway?: IpAddress | undefined;
  /** Index into `interfaces`. */
  readonly interface?: number | undefined;
}

export interface ResultRoute {
  readonly dst: Cidr;
  readonly gw?: IpAddress | undefined;
  readonly mtu?: number | undefined;
  readonly advmss?: number | undefined;
  readonly priority?: number | undefined;
  /** 0 is a table, and not the same as absent. */
  readonly table?: number | undefined;
  /** 0 is the global scope, and not the same as absent. */
  readonly scope?: number | undefined;
}

export interface ResultDns {
  readonly nameservers?: readonly string[] | undefined;
  readonly domain?: string | undefined;
  readonly search?: readonly string[] | undefined;
  readonly options?: readonly string[] | undefined;
}

const RESULT: JsonSource = {
  name: 'the result',
  quotesValues: true,
  error: (message) => new CniError(ERROR_CODE.undecodable, message),
};

const UINT32 = wholeNumber(0, 2 ** 32 - 1);
const SCOPE = wholeNumber(0, 255);
const INDEX = wholeNumber(0, 2 ** 31 - 1);
const VERSION: Shape<CniVersion> = {
  expected: `one of ${SUPPORTED_VERSIONS.join(', ')}`,
  parse: (value) => SUPPORTED_VERSIONS.find((supported) => supported === value),
};

const IP_KEYS: Readonly<Record<Family, 'ip4' | 'ip6'>> = { ipv4: 'ip4', ipv6: 'ip6' };

/**
 * Parses a result of any version. It also reads members that are newer than the result's version: some plugins print
 * them.
 *
 * @param assumedVersion the version of a result without `cniVersion`: the configuration's in libcni, 0.1.0 in the
 *   specification
 * @param source where the result comes from; errors are `CniError`s of code undecodable (6) by default
 * @throws {Error} the source's, naming the member
 */
export function parseResult(
  raw: JsonObject,
  {
    assumedVersion = '0.1.0',
    source = RESULT,
  }: { readonly assumedVersion?: CniVersion; readonly source?: JsonSource } = {},
): CniResult {
  const reader = openReader(raw, source);
  const version = reader.readUnlessZero('cniVersion', VERSION) ?? assumedVersion;
  const dns = readDns(reader.readObject('dns'));
  if (!isAtLeast(version, '0.3.0')) return { ...readAddressPerFamily(reader), dns };
  return {
    interfaces: reader.readObjects('interfaces').map(readInterface),
    ips: reader.readObjects('ips').map((ip) => ({
      address: ip.require('address', CIDR),
      gateway: ip.readUnlessZero('gateway', ADDRESS),
      interface: ip.read('interface', INDEX),
    })),
    routes: reader.readObjects('routes').map(readRoute),
    dns,
  };
}

/** Reads the members of a `dns` object, of a result or a configuration. Empty members count as absent. */
export function readDns(dns: JsonReader): ResultDns {
  const readTexts = (key: string): readonly string[] | undefined => {
    const texts = dns.readList(key, TEXT);
    return texts.length === 0 ? undefined : texts;
  };
  return {
    nameservers: readTexts('nameservers'),
    domain: dns.readUnlessZero('domain', TEXT),
    search: readTexts('search'),
    options: readTexts('options'),
  };
}

/** True if every member is absent or empty. */
export function isEmptyDns(dns: ResultDns): boolean {
  return Object.values(dns).every(
    (member: string | readonly string[] | undefined) => member === undefined || member.length === 0,
  );
}

/**
 * Formats the result for this version, without members that only later versions have. Before 0.3.0, a result has only
 * the first address of each family, with the routes of that family.
 *
 * @see SPEC.md of each version, Result
 */
export function formatResult({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): JsonObject {
  const dnsMembers = formatDns(dns, version);
  if (!isAtLeast(version, '0.3.0')) {
    return omitAbsent({ cniVersion: version, ...formatAddressPerFamily(ips, routes), dns: dnsMembers });
  }
  return omitAbsent({
    cniVersion: version,
    interfaces: listUnlessEmpty(interfaces.map((one) => formatInterface(one, version))),
    ips: listUnlessEmpty(ips.map((ip) => formatIp(ip, version))),
    routes: listUnlessEmpty(routes.map((route) => formatRoute(route, version))),
    dns: dnsMembers,
  });
}

function readInterface(one: JsonReader): ResultInterface {
  return {
    name: one.require('name', TEXT),
    mac: one.readUnlessZero('mac', TEXT),
    mtu: one.readUnlessZero('mtu', UINT32),
    sandbox: one.readUnlessZero('sandbox', TEXT),
    socketPath: one.readUnlessZero('socketPath', TEXT),
    pciID: one.readUnlessZero('pciID', TEXT),
  };
}

function readRoute(route: JsonReader): ResultRoute {
  return {
    dst: route.require('dst', CIDR),
    gw: route.readUnlessZero('gw', ADDRESS),
    mtu: route.readUnlessZero('mtu', UINT32),
    advmss: route.readUnlessZero('advmss', UINT32),
    priority: route.readUnlessZero('priority', UINT32),
    table: route.read('table', UINT32),
    scope: route.read('scope', SCOPE),
  };
}

function readAddressPerFamily(reader: JsonReader): Omit<CniResult, 'dns'> {
  const given = Object.values(IP_KEYS).flatMap((key) => {
    const members = reader.readObject(key);
    const address = members.readUnlessZero('ip', CIDR);
    return address === undefined ? [] : [{ address, members }];
  });
  return {
    interfaces: [],
    ips: given.map(({ address, members }) => ({ address, gateway: members.readUnlessZero('gateway', ADDRESS) })),
    routes: given.flatMap(({ members }) => members.readObjects('routes').map(readRoute)),
  };
}

function formatAddressPerFamily(ips: CniResult['ips'], routes: CniResult['routes']): Record<string, JsonObject> {
  const members: Record<string, JsonObject> = {};
  for (const { address, gateway } of ips) {
    const { family } = address.address;
    const ofFamily = routes.filter(({ dst }) => dst.address.family === family);
    members[IP_KEYS[family]] ??= omitAbsent({
      ip: formatCidr(address),
      gateway: gateway?.text,
      routes: listUnlessEmpty(ofFamily.map(({ dst, gw }) => omitAbsent({ dst: formatCidr(dst), gw: gw?.text }))),
    });
  }
  return members;
}

function formatInterface(
  { name, mac, sandbox, mtu, socketPath, pciID }: ResultInterface,
  version: CniVersion,
): JsonObject {
  return omitAbsent({ name, mac, sandbox, ...(isAtLeast(version, '1.1.0') ? { mtu, socketPath, pciID } : {}) });
}

function formatIp({ address, gateway, interface: index }: ResultIp, version: CniVersion): JsonObject {
  const ipVersion = address.address.family === 'ipv4' ? '4' : '6';
  return omitAbsent({
    ...(isAtLeast(version, '1.0.0') ? {} : { version: ipVersion }),
    address: formatCidr(address),
    gateway: gateway?.text,
    interface: index,
  });
}

function formatRoute({ dst, gw, mtu, advmss, priority, table, scope }: ResultRoute, version: CniVersion): JsonObject {
  return omitAbsent({
    dst: formatCidr(dst),
    gw: gw?.text,
    ...(isAtLeast(version, '1.1.0') ? { mtu, advmss, priority, table, scope } : {}),
  });
}

// Before 1.0.0, plugins written in Go print an empty `dns` too, and podwire prints what they print.
function formatDns(dns: ResultDns, version: CniVersion): JsonObject | undefined {
  const { nameservers, domain, search, options } = dns;
  return isEmptyDns(dns) && isAtLeast(version, '1.0.0')
    ? undefined
    : omitAbsent({ nameservers, domain, search, options });
}

function listUnlessEmpty(items: readonly JsonObject[]): readonly JsonObject[] | undefined {
  return items.length === 0 ? undefined : items;
}

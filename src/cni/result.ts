import { parseCidr } from '../address/cidr.ts';
import type { Family } from '../address/family.ts';
import { ERROR_CODE } from './error.ts';
import { openReader, type JsonReader, type JsonSource } from '../json/json-reader.ts';
import { omitAbsent, type JsonObject } from '../json/json.ts';
import { ADDRESS, CIDR, TEXT, wholeNumber, type Shape } from '../json/shapes.ts';
import { SUPPORTED_VERSIONS, isAtLeast, type CniVersion } from './versions.ts';

/** A result of any version, in the terms of the newest one. Addresses are canonical. */
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
  /** CNI_NETNS as given for an interface of the container, absent for one of the host. */
  readonly sandbox?: string | undefined;
  readonly socketPath?: string | undefined;
  readonly pciID?: string | undefined;
}

export interface ResultIp {
  /** ADDRESS/LENGTH. */
  readonly address: string;
  readonly gateway?: string | undefined;
  /** Index into `interfaces`. */
  readonly interface?: number | undefined;
}

export interface ResultRoute {
  /** ADDRESS/LENGTH. */
  readonly dst: string;
  readonly gw?: string | undefined;
  readonly mtu?: number | undefined;
  readonly advmss?: number | undefined;
  readonly priority?: number | undefined;
  /** 0 is a table, and not the same as none. */
  readonly table?: number | undefined;
  /** 0 is the global scope, and not the same as none. */
  readonly scope?: number | undefined;
}

export interface ResultDns {
  readonly nameservers?: readonly string[] | undefined;
  readonly domain?: string | undefined;
  readonly search?: readonly string[] | undefined;
  readonly options?: readonly string[] | undefined;
}

const UNKNOWN_SOURCE: JsonSource = { code: ERROR_CODE.undecodable, name: 'the result', remedy: '' };

const UINT32 = wholeNumber(0, 2 ** 32 - 1);
const SCOPE = wholeNumber(0, 255);
const INDEX = wholeNumber(0, 2 ** 31 - 1);
const VERSION: Shape<CniVersion> = {
  wanted: `one of ${SUPPORTED_VERSIONS.join(', ')}`,
  parse: (value) => SUPPORTED_VERSIONS.find((supported) => supported === value),
};

const IP_KEYS: Readonly<Record<Family, 'ip4' | 'ip6'>> = { ipv4: 'ip4', ipv6: 'ip6' };

/**
 * A result of any version. Members that are newer than its version are read all the same: plugins have printed them.
 *
 * @param assumedVersion of a result without `cniVersion`; libcni takes the configuration's there, the specification 0.1.0
 * @param source where it comes from, for messages and their code, which is 6 by default
 * @throws {CniError}
 */
export function parseResult(
  raw: JsonObject,
  {
    assumedVersion = '0.1.0',
    source = UNKNOWN_SOURCE,
  }: { readonly assumedVersion?: CniVersion; readonly source?: JsonSource } = {},
): CniResult {
  const reader = openReader(raw, source);
  const version = reader.readUnlessZero('cniVersion', VERSION) ?? assumedVersion;
  const dns = readDns(reader.within('dns'));
  if (!isAtLeast(version, '0.3.0')) return { ...readAddressPerFamily(reader), dns };
  return {
    interfaces: reader.list('interfaces').map(readInterface),
    ips: reader.list('ips').map((ip) => ({
      address: ip.require('address', CIDR),
      gateway: ip.readUnlessZero('gateway', ADDRESS),
      interface: ip.read('interface', INDEX),
    })),
    routes: reader.list('routes').map(readRoute),
    dns,
  };
}

/** The members of a `dns` object, of a result or a configuration. Empty ones are absent. */
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

/** True if no member is there. */
export function isEmptyDns(dns: ResultDns): boolean {
  return Object.values(dns).every(
    (member: string | readonly string[] | undefined) => member === undefined || member.length === 0,
  );
}

/**
 * The result as this version has it, without what only later ones know. Before 0.3.0 that is the first address of each family, with
 * the routes of its family.
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
  const given = Object.values(IP_KEYS)
    .map((key) => reader.within(key))
    .filter((ip) => ip.readUnlessZero('ip', CIDR) !== undefined);
  return {
    interfaces: [],
    ips: given.map((ip) => ({ address: ip.require('ip', CIDR), gateway: ip.readUnlessZero('gateway', ADDRESS) })),
    routes: given.flatMap((ip) => ip.list('routes').map(readRoute)),
  };
}

function formatAddressPerFamily(ips: CniResult['ips'], routes: CniResult['routes']): Record<string, JsonObject> {
  const members: Record<string, JsonObject> = {};
  for (const { address, gateway } of ips) {
    const family = familyOf(address);
    const ofFamily = routes.filter(({ dst }) => familyOf(dst) === family);
    members[IP_KEYS[family]] ??= omitAbsent({
      ip: address,
      gateway,
      routes: listUnlessEmpty(ofFamily.map(({ dst, gw }) => omitAbsent({ dst, gw }))),
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
  const ipVersion = familyOf(address) === 'ipv4' ? '4' : '6';
  return omitAbsent({
    ...(isAtLeast(version, '1.0.0') ? {} : { version: ipVersion }),
    address,
    gateway,
    interface: index,
  });
}

function formatRoute({ dst, gw, mtu, advmss, priority, table, scope }: ResultRoute, version: CniVersion): JsonObject {
  return omitAbsent({ dst, gw, ...(isAtLeast(version, '1.1.0') ? { mtu, advmss, priority, table, scope } : {}) });
}

// Before 1.0.0 Go plugins print an empty `dns` too, and what replaces them leaves the same.
function formatDns(dns: ResultDns, version: CniVersion): JsonObject | undefined {
  const { nameservers, domain, search, options } = dns;
  return isEmptyDns(dns) && isAtLeast(version, '1.0.0')
    ? undefined
    : omitAbsent({ nameservers, domain, search, options });
}

function listUnlessEmpty(items: readonly JsonObject[]): readonly JsonObject[] | undefined {
  return items.length === 0 ? undefined : items;
}

function familyOf(cidr: string): Family {
  return parseCidr(cidr).address.family;
}

import { closeSync, constants, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import type { Seen } from '../../diagnosis/facts.ts';
import type { ConnectionDrops, PacketCounters, PacketFacts } from '../../diagnosis/packet-facts.ts';
import { errnoOf } from '../../system/error-text.ts';
import { observeFirewall, observeZones } from './observe-firewall.ts';

/** Settings that the checks read, below /proc/sys. */
const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv6/conf/all/forwarding',
  'net/netfilter/nf_conntrack_count',
  'net/netfilter/nf_conntrack_max',
] as const;

/** Reads what decides whether packets of pods pass: settings, counters, the rules of firewalls, and the kernel log. */
export async function observePackets(searchPath: string | undefined): Promise<PacketFacts> {
  const interfaces = listFolder(CONF);
  return {
    sysctls: Object.fromEntries(SYSCTLS.map((key) => [key, readText(`/proc/sys/${key}`)?.trim()])),
    firewall: await observeFirewall(searchPath),
    zones: await observeZones(searchPath),
    reversePathFilters: Object.fromEntries(
      interfaces.flatMap((name) => {
        const text = readSetting(name, 'rp_filter');
        return text === undefined ? [] : [[name, Number(text)]];
      }),
    ),
    interfaceSettings: Object.fromEntries(
      interfaces.map((name) => [
        name,
        { proxy_arp: readSetting(name, 'proxy_arp'), forwarding: readSetting(name, 'forwarding') },
      ]),
    ),
    counters: parseCounters(readText('/proc/net/netstat') ?? '', readText('/proc/net/snmp') ?? ''),
    connectionDrops: readConnectionDrops('/dev/kmsg'),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const CONF = '/proc/sys/net/ipv4/conf';

function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readSetting(interfaceName: string, name: string): string | undefined {
  return readText(`${CONF}/${interfaceName}/${name}`)?.trim();
}

/**
 * The counters of IPv4 in `/proc/net/netstat` and `/proc/net/snmp`: lines in pairs, of names and of values.
 *
 * @see include/uapi/linux/snmp.h, LINUX_MIB_IPRPFILTER
 */
export function parseCounters(netstat: string, snmp: string): PacketCounters | undefined {
  const received = counterIn(snmp, 'Ip', 'InReceives');
  const reversePathDropped = counterIn(netstat, 'TcpExt', 'IPReversePathFilter');
  return received === undefined || reversePathDropped === undefined ? undefined : { received, reversePathDropped };
}

function counterIn(text: string, group: string, name: string): number | undefined {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith(`${group}:`))
    .map((line) => line.split(' '));
  const value = values[names.indexOf(name)];
  return value === undefined ? undefined : Number(value);
}

/** Longer than any record of the kernel log. */
const MAX_RECORD_BYTES = 8192;
/** The kernel keeps fewer. */
const MAX_RECORDS = 100_000;

/** The lines of the kernel log about a full connection table. */
function readConnectionDrops(path: string): Seen<ConnectionDrops | undefined> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { kind: 'unseen', why: `the kernel log cannot be read from here (${errnoOf(error) ?? 'unknown error'})` };
  }
  const record = Buffer.alloc(MAX_RECORD_BYTES);
  const records: string[] = [];
  try {
    for (let count = 0; count < MAX_RECORDS; count++) {
      try {
        const length = readSync(fd, record);
        if (length === 0) break;
        records.push(record.toString('latin1', 0, length));
      } catch (error) {
        // A record was overwritten before it was read; the next read returns a later one.
        if (errnoOf(error) !== 'EPIPE') break;
      }
    }
    return { kind: 'seen', value: parseConnectionDrops(records, Date.now() - systemUptimeMs()) };
  } finally {
    closeSync(fd);
  }
}

function systemUptimeMs(): number {
  return Number((readText('/proc/uptime') ?? '').split(' ')[0]) * 1000;
}

/**
 * Finds the records about a full connection table.
 *
 * @param records of /dev/kmsg: `4,1234,5678901,-;nf_conntrack: nf_conntrack: table full, dropping packet`
 * @param bootMs when the clock of these records was 0
 */
export function parseConnectionDrops(records: readonly string[], bootMs: number): ConnectionDrops | undefined {
  const times = records.flatMap((record) => {
    const [, microseconds] = /^\d+,\d+,(\d+),[^;]*;nf_conntrack: .*table full, dropping packet/.exec(record) ?? [];
    return microseconds === undefined ? [] : [bootMs + Number(microseconds) / 1000];
  });
  const last = times.at(-1);
  return last === undefined ? undefined : { lastMs: last, lineCount: times.length };
}

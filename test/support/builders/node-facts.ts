import { parseCidr } from '../../../src/address/cidr.ts';
import { parseIpAddress } from '../../../src/address/ip-address.ts';
import type { ApiFacts } from '../../../src/diagnosis/api-facts.ts';
import type { AddressFacts, JournalFacts, NodeFacts, RecordFact, Seen } from '../../../src/diagnosis/facts.ts';
import type { PacketFacts, ProcessFacts } from '../../../src/diagnosis/packet-facts.ts';
import { networkConfig } from './network-config.ts';

/** Noon of the day on which the healthy node is observed. */
export const NOON_MS = Date.UTC(2026, 10, 28, 12);
export const HOUR_MS = 3_600_000;

/** What the API server of a healthy node answers. */
export function apiFacts(overrides: Partial<ApiFacts> = {}): ApiFacts {
  return {
    server: 'https://192.0.2.5:6443',
    source: 'the kubeconfig /etc/cni/net.d/podwire-kubeconfig',
    name: undefined,
    probe: {
      clockAheadMs: 200,
      certificate: { issuer: 'kubernetes', validFromMs: NOON_MS - HOUR_MS, validToMs: NOON_MS + HOUR_MS },
      tlsVersion: 'TLS 1.3',
      elapsedMs: 7,
    },
    token: {
      account: 'kube-system/podwire',
      issuedAtMs: NOON_MS - HOUR_MS,
      expiresAtMs: NOON_MS + 23 * HOUR_MS,
      boundNode: { name: 'node-1', uid: 'uid-1' },
      file: '/etc/cni/net.d/podwire-kubeconfig',
      fileWrittenMs: NOON_MS - HOUR_MS,
    },
    answer: { kind: 'ok', version: 'v1.36.3' },
    rights: seen(['get pods', 'get nodes', 'patch pods/status'].map((right) => ({ right, isAllowed: true }))),
    node: seen({ uid: 'uid-1', podCidrs: [parseCidr('10.0.0.0/24')], freePodCidr: undefined, maxPods: 110 }),
    renewer: unseen('the renewer was not looked for'),
    otherNodes: seen([]),
    dryRun: seen({ pod: 'default/web', error: undefined, exemption: undefined }),
    deletedPods: [],
    slowestMs: 9,
    requestBudgetMs: 2000,
    otherServer: undefined,
    ...overrides,
  };
}

/** A pod that is attached to the healthy node. */
export function recordFact(overrides: Partial<RecordFact> = {}): RecordFact {
  return {
    containerId: 'c1',
    interfaceName: 'eth0',
    pod: 'default/web',
    hostInterface: 'cali1',
    stage: 'attached',
    isOfEarlierBoot: false,
    hasSandbox: true,
    startedMs: NOON_MS - HOUR_MS,
    ...overrides,
  };
}

/** The leases of the healthy node, one, and its range. */
export function addressFacts(overrides: Partial<AddressFacts> = {}): AddressFacts {
  return {
    folder: '/var/lib/cni/networks/k8s-pod-network',
    ranges: [parseCidr('10.0.0.0/24')],
    leases: [{ address: parseIpAddress('10.0.0.2'), containerId: 'c1', ageMs: HOUR_MS }],
    ...overrides,
  };
}

/** The journal of the healthy node. */
export function journalFacts(overrides: Partial<JournalFacts> = {}): JournalFacts {
  return { attachments: [recordFact()], damaged: [], pendingEndpointCount: 0, ...overrides };
}

/** What decides on the healthy node whether packets pass. */
export function packetFacts(overrides: Partial<PacketFacts> = {}): PacketFacts {
  return {
    sysctls: {
      'net/ipv4/ip_forward': '1',
      'net/netfilter/nf_conntrack_count': '10',
      'net/netfilter/nf_conntrack_max': '1000',
    },
    firewall: seen([]),
    zones: undefined,
    reversePathFilters: { all: 0, default: 1, lo: 0, eth0: 1, cali1: 1 },
    interfaceSettings: { cali1: { proxy_arp: '1', forwarding: '1' } },
    counters: { received: 1_000_000, reversePathDropped: 12 },
    connectionDrops: seen(undefined),
    ...overrides,
  };
}

/** The processes of the healthy node. */
export function processFacts(overrides: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    agent: { prefix: 'cali', ignoresLooseFilter: false },
    tokenWriters: [],
    timeService: 'chronyd',
    hasBird: false,
    ...overrides,
  };
}

/** A healthy node with one pod. */
export function nodeFacts(overrides: Partial<NodeFacts> = {}): NodeFacts {
  const route = { interfaceName: 'cali1', isDefault: false, hasGateway: false };
  return {
    nowMs: NOON_MS,
    nodeName: 'node-1',
    folders: { configs: '/etc/cni/net.d', programs: '/opt/cni/bin' },
    runtime: seen({
      name: 'containerd 2.4.2',
      folders: { configs: '/etc/cni/net.d', programs: ['/opt/cni/bin'] },
      sandboxIds: ['c1'],
    }),
    configs: seen([
      {
        name: '10-podwire.conflist',
        problem: undefined,
        network: 'k8s-pod-network',
        cniVersion: '1.0.0',
        plugins: ['podwire', 'portmap'],
        masqueradesHostPorts: true,
      },
    ]),
    own: { kind: 'valid', fileName: '10-podwire.conflist', config: networkConfig() },
    multus: undefined,
    programs: seen([{ type: 'host-local', path: '/opt/cni/bin/host-local', problem: undefined, versions: ['1.0.0'] }]),
    api: seen(apiFacts()),
    addresses: seen(addressFacts()),
    journal: seen(journalFacts()),
    links: seen([
      { index: 3, name: 'cali1', mtuBytes: 1500, alias: 'podwire c1 eth0 k8s-pod-network default/web', addresses: [] },
    ]),
    routes: seen([{ ...route, destination: parseCidr('10.0.0.2/32') }]),
    machine: {
      gatewayProblem: seen(undefined),
      mtuFile: { bytes: 1500, writtenMs: NOON_MS - 2 * HOUR_MS },
      managedInterfaces: [],
      disk: { freeBytes: 1e9, freeInodes: 1e6 },
      isSameProgram: true,
      nativeFolder: seen({ folder: '/opt/cni/bin/.podwire/1', problem: undefined, fix: [] }),
      denials: seen([]),
      isRoot: true,
      nodeRoot: '/',
    },
    packets: packetFacts(),
    processes: processFacts(),
    failures: seen([]),
    ...overrides,
  };
}

/** Something that was observed. */
export function seen<Value>(value: Value): Seen<Value> {
  return { kind: 'seen', value };
}

/** Something that cannot be observed from here. */
export function unseen(why: string): Seen<never> {
  return { kind: 'unseen', why };
}

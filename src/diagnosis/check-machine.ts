import { asksForIpv4 } from '../plan/delegation.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { ManagedInterface, NodeFacts, RecordFact } from './facts.ts';
import { formatMoment } from './format-time.ts';

/** Checks the settings of the node that pods need (PW501 to PW506, PW701). */
export function checkMachine(facts: NodeFacts): readonly Finding[] {
  return [
    checkGateway(facts),
    checkMtu(facts),
    checkForwarding(facts),
    checkManagers(facts),
    checkConnections(facts),
    checkDisk(facts),
    checkPrefix(facts),
  ];
}

function checkGateway({ machine, own }: NodeFacts): Finding {
  const { gatewayProblem } = machine;
  if (gatewayProblem.kind === 'unseen') return skipped('PW501', gatewayProblem.why);
  if (own.kind === 'valid' && !asksForIpv4(own.config)) return passed('PW501', 'pods have no IPv4 address');
  const problem = gatewayProblem.value;
  if (problem === undefined) return passed('PW501', 'the node answers ARP requests for the gateway of its pods');
  const isAddress = problem.includes('arp_ignore');
  return found('PW501', 'failed', 'The node does not answer ARP requests of its pods: IPv4 does not work.', {
    evidence: [['problem', problem]],
    fix: [isAddress ? 'sysctl -w net.ipv4.conf.all.arp_ignore=0' : 'ip route add 169.254.1.1/32 dev lo'],
  });
}

/** The default of the kernel, which pods get that start before the agent has written its file. */
const DEFAULT_MTU_BYTES = 1500;

function checkMtu({ machine, own, links, journal, nowMs }: NodeFacts): Finding {
  if (links.kind === 'unseen') return skipped('PW502', links.why);
  if (journal.kind === 'unseen') return skipped('PW502', journal.why);
  const configured = own.kind === 'valid' ? own.config.mtuBytes : undefined;
  const expected = configured ?? machine.mtuFile?.bytes ?? DEFAULT_MTU_BYTES;
  const source = configured === undefined ? '/var/lib/calico/mtu' : 'the network configuration';
  const mtuOf = new Map(links.value.map(({ name, mtuBytes }) => [name, mtuBytes]));
  const attached = journal.value.attachments.filter(({ stage }) => stage === 'attached');
  const tooLarge = attached.filter(({ hostInterface }) => (mtuOf.get(hostInterface) ?? 0) > expected);
  const [first] = tooLarge;
  if (first === undefined) return passed('PW502', `no pod has a larger MTU than ${expected} bytes`);
  const written = machine.mtuFile?.writtenMs;
  return found(
    'PW502',
    'warning',
    `${countPods(tooLarge)} MTU ${mtuOf.get(first.hostInterface)}, but the network carries ${expected} bytes.`,
    {
      evidence: [
        ['pods', listPods(tooLarge)],
        ['mtu from', source],
        [
          'why',
          configured === undefined && written !== undefined
            ? `they started before ${source} was written, ${formatMoment(written, nowMs)}`
            : undefined,
        ],
      ],
      fix: deleteCommands(tooLarge),
    },
  );
}

function countPods(records: readonly RecordFact[]): string {
  return records.length === 1 ? 'A pod has' : `${records.length} pods have`;
}

function listPods(records: readonly RecordFact[]): string {
  const names = records.map(({ pod }) => pod);
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}

/** The commands that delete pods, one for each namespace. */
export function deleteCommands(records: readonly Pick<RecordFact, 'pod'>[]): readonly string[] {
  const byNamespace = new Map<string, string[]>();
  for (const { pod } of records) {
    const [namespace = '', name = ''] = pod.split('/');
    if (name !== '') byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), name]);
  }
  return [...byNamespace].map(([namespace, names]) => `kubectl -n ${namespace} delete pod ${names.join(' ')}`);
}

const FORWARDING = { ipv4: 'net/ipv4/ip_forward', ipv6: 'net/ipv6/conf/all/forwarding' } as const;

function checkForwarding({ machine, addresses }: NodeFacts): Finding {
  const families =
    addresses.kind === 'seen' ? addresses.value.ranges.map(({ address }) => address.family) : ['ipv4' as const];
  const off = [...new Set(families)].map((family) => FORWARDING[family]).filter((key) => machine.sysctls[key] === '0');
  if (off.length > 0) {
    const names = off.map((key) => key.replaceAll('/', '.'));
    return found('PW503', 'failed', 'The node does not forward packets: pods reach only this node.', {
      evidence: names.map((name) => ['setting', `${name} is 0`]),
      fix: names.map((name) => `sysctl -w ${name}=1`),
    });
  }
  if (machine.isForwardingDropped === true) {
    return found('PW503', 'warning', 'The firewall of this node drops forwarded packets.', {
      evidence: [['policy', 'chain FORWARD of table filter has the policy DROP, and no rule accepts packets of pods']],
      fix: ['iptables -P FORWARD ACCEPT'],
    });
  }
  return passed('PW503', 'forwarding is on');
}

function checkManagers({ machine, own }: NodeFacts): Finding {
  const [first] = machine.managedInterfaces;
  if (first === undefined) return passed('PW504', 'no network manager controls host interfaces');
  const managed = machine.managedInterfaces.filter(({ manager }) => manager === first.manager);
  return found('PW504', 'warning', `${first.manager} controls the interfaces of pods.`, {
    evidence: [
      [
        'interfaces',
        managed
          .slice(0, 5)
          .map(({ name }) => name)
          .join(', '),
      ],
    ],
    fix: leaveAlone(first.manager, own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali'),
  });
}

// The first matching file counts for systemd-networkd, in the order of their names.
function leaveAlone(manager: ManagedInterface['manager'], prefix: string): readonly string[] {
  return manager === 'NetworkManager'
    ? [
        String.raw`printf '[keyfile]\nunmanaged-devices=interface-name:${prefix}*\n' > /etc/NetworkManager/conf.d/podwire.conf`,
        'nmcli general reload conf',
      ]
    : [
        'mkdir -p /etc/systemd/network',
        String.raw`printf '[Match]\nName=${prefix}*\n[Link]\nUnmanaged=yes\n' > /etc/systemd/network/00-podwire.network`,
        'networkctl reload',
      ];
}

const NEARLY_FULL = 0.9;

function checkConnections({ machine: { sysctls } }: NodeFacts): Finding {
  const count = Number(sysctls['net/netfilter/nf_conntrack_count']);
  const max = Number(sysctls['net/netfilter/nf_conntrack_max']);
  if (!(max > 0)) return passed('PW505', 'connections are not tracked');
  const part = Math.round((100 * count) / max);
  if (count < max * NEARLY_FULL) return passed('PW505', `the connection table is ${part} % full`);
  return found('PW505', 'warning', `The connection table is ${part} % full.`, {
    evidence: [['entries', `${count} of ${max}`]],
    fix: [`sysctl -w net.netfilter.nf_conntrack_max=${max * 2}`],
  });
}

const MIN_FREE_BYTES = 16 * 1024 * 1024;
const MIN_FREE_INODES = 100;

function checkDisk({ machine: { disk } }: NodeFacts): Finding {
  if (disk === undefined) return skipped('PW506', 'the file system of /var/lib cannot be seen from here');
  const free = `${Math.floor(disk.freeBytes / 1024 / 1024)} MiB`;
  // Some file systems create inodes as they need them, and report 0.
  const hasInodes = disk.freeInodes === 0 || disk.freeInodes >= MIN_FREE_INODES;
  if (disk.freeBytes >= MIN_FREE_BYTES && hasInodes) return passed('PW506', `${free} free on /var/lib`);
  return found('PW506', 'warning', 'The file system of /var/lib is full.', {
    evidence: [
      ['free', free],
      ['inodes', hasInodes ? undefined : `${disk.freeInodes}`],
    ],
    fix: ['df -h /var/lib; df -i /var/lib'],
  });
}

function checkPrefix({ machine: { agentPrefix }, own }: NodeFacts): Finding {
  if (agentPrefix === undefined)
    return skipped('PW701', 'no process of the agent (calico-node -felix) is seen from here');
  const prefix = own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali';
  if (agentPrefix.split(',').includes(prefix)) return passed('PW701', `the agent uses the prefix ${prefix}`);
  return found('PW701', 'failed', `The agent handles interfaces ${agentPrefix}*, and pods have ${prefix}*.`, {
    evidence: [['effect', 'no NetworkPolicy is in force, and the agent removes the routes of pods']],
    fix: [`kubectl -n kube-system set env daemonset/calico-node FELIX_INTERFACEPREFIX=${prefix}`],
  });
}

import { asksForIpv4 } from '../plan/delegation.ts';
import { found, passed, skipped, type Finding } from './finding.ts';
import type { LinkFact, ManagedInterface, NodeFacts, RecordFact } from './facts.ts';
import { formatMoment } from './format-time.ts';
import { isInCidr } from './range.ts';

/** Checks the settings of the node that pods need (PW501, PW502, PW504, PW506, PW701). */
export function checkMachine(facts: NodeFacts): readonly Finding[] {
  return [checkGateway(facts), checkMtu(facts), checkManagers(facts), checkDisk(facts), checkPrefix(facts)];
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

function checkMtu({ machine, own, links, journal, routes, api, nowMs }: NodeFacts): Finding {
  if (links.kind === 'unseen') return skipped('PW502', links.why);
  if (journal.kind === 'unseen') return skipped('PW502', journal.why);
  const configured = own.kind === 'valid' ? own.config.mtuBytes : undefined;
  const expected = configured ?? machine.mtuFile?.bytes ?? DEFAULT_MTU_BYTES;
  const source = configured === undefined ? '/var/lib/calico/mtu' : 'the network configuration';
  const narrow = findNarrow(expected, links.value, podInterfaces(routes, api));
  const mtuOf = new Map(links.value.map(({ name, mtuBytes }) => [name, mtuBytes]));
  const attached = journal.value.attachments.filter(({ stage }) => stage === 'attached');
  const tooLarge = attached.filter(({ hostInterface }) => (mtuOf.get(hostInterface) ?? 0) > expected);
  const [first] = tooLarge;
  if (first === undefined && narrow !== undefined) {
    return found('PW502', 'warning', `Pods get MTU ${expected}, but ${narrow.name} carries ${narrow.mtuBytes} bytes.`, {
      evidence: [['mtu from', configured === undefined && machine.mtuFile === undefined ? 'the default' : source]],
      fix: [
        `kubectl -n kube-system set env daemonset/podwire CNI_MTU=${narrow.mtuBytes}`,
        'kubectl -n kube-system rollout status daemonset/podwire',
        ...deleteCommands(attached),
      ],
    });
  }
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

/** The interfaces by which packets of pods leave: those of routes to podCIDRs of other nodes, and of the default route. */
function podInterfaces(routes: NodeFacts['routes'], api: NodeFacts['api']): ReadonlySet<string> {
  if (routes.kind === 'unseen') return new Set();
  const others = api.kind === 'seen' && api.value.otherNodes.kind === 'seen' ? api.value.otherNodes.value : [];
  const podCidrs = others.flatMap((node) => node.podCidrs);
  return new Set(
    routes.value
      .filter(
        ({ destination, isDefault }) => isDefault || podCidrs.some(({ address }) => isInCidr(address, destination)),
      )
      .flatMap(({ interfaceName }) => interfaceName ?? []),
  );
}

function findNarrow(expected: number, links: readonly LinkFact[], names: ReadonlySet<string>): LinkFact | undefined {
  return links
    .filter(({ name, mtuBytes }) => names.has(name) && mtuBytes < expected)
    .toSorted((one, other) => one.mtuBytes - other.mtuBytes)[0];
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

function checkPrefix({ processes: { agent }, own }: NodeFacts): Finding {
  if (agent === undefined) return skipped('PW701', 'no process of the agent (calico-node -felix) is seen from here');
  const agentPrefix = agent.prefix;
  const prefix = own.kind === 'valid' ? own.config.hostInterfacePrefix : 'cali';
  if (agentPrefix.split(',').includes(prefix)) return passed('PW701', `the agent uses the prefix ${prefix}`);
  return found('PW701', 'failed', `The agent handles interfaces ${agentPrefix}*, and pods have ${prefix}*.`, {
    evidence: [['effect', 'no NetworkPolicy is in force, and the agent removes the routes of pods']],
    fix: [`kubectl -n kube-system set env daemonset/calico-node FELIX_INTERFACEPREFIX=${prefix}`],
  });
}

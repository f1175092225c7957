import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { openAgent } from '../agent/agent.ts';
import { endpointStatusFileName } from '../agent/endpoint-status.ts';
import { formatCidr, hostCidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { openCluster } from '../cluster/cluster.ts';
import { readConnection } from '../cluster/credentials/connection.ts';
import { effectOfDrift } from '../diagnosis/explain-drift.ts';
import { deleteCommands } from '../diagnosis/check-machine.ts';
import { openKernel } from '../kernel/kernel.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planAttachmentSteps, planLoopbackRouting } from '../plan/attachment-steps.ts';
import { endpointPod, type Attachment } from '../plan/attachment.ts';
import { findDrift, type Drift } from '../plan/drift.ts';
import { expectedFromPrevResult } from '../plan/expected-state.ts';
import type { Observation } from '../plan/observation.ts';
import { planWorkloadEndpoint } from '../plan/workload-endpoint.ts';
import { messageOf } from '../system/error-text.ts';
import type { AttachmentReport, EndReport } from './attachment-report.ts';
import { CommandError, EXIT, UsageError, type CliIo } from './cli-io.ts';
import { findAttachments, type FoundAttachment } from './find-attachments.ts';
import { formatAttachment } from './format-attachment.ts';
import { nodeNameOf } from './observe/observe-node.ts';
import { openNodeFiles, type NodeFiles } from './observe/node-files.ts';
import { observeConfigs } from './observe/observe-configs.ts';
import { readLogAbout } from './observe/observe-failures.ts';
import { readNeighbors } from './observe/read-neighbors.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { openTerminal } from './terminal.ts';

/** The options of `podwire explain`. */
export interface ExplainOptions {
  readonly output: OutputFormat;
  readonly verbose: boolean;
  readonly root: string | undefined;
}

/**
 * `podwire explain`: shows everything about one attachment, and what differs from the plan.
 *
 * @param target NAMESPACE/POD, a container id or its beginning, an address, or the name of a host interface
 * @returns the exit status: 1 if something differs
 * @throws {CommandError} if nothing on this node has this name
 * @throws {UsageError} if more than one attachment has it
 */
export async function runExplain(
  target: string,
  { output, verbose, root }: ExplainOptions,
  io: CliIo,
): Promise<number> {
  const files = openNodeFiles(root, io.environment);
  const { own } = observeConfigs(files.layout.here.configs, io.environment);
  if (own.kind !== 'valid') {
    io.writeStderr('podwire: this node has no valid network configuration for podwire: see "podwire doctor"\n');
    return EXIT.failure;
  }
  const found = findAttachments(target, own.config, files);
  const [attachment, ...others] = found;
  if (attachment === undefined) {
    throw new CommandError(
      `nothing on this node is called "${target}": expected NAMESPACE/POD, a container id, an address or a host interface`,
    );
  }
  if (others.length > 0) {
    const names = found.map(({ record }) => record.attachment.id.containerId.slice(0, 12)).join(', ');
    throw new UsageError(`"${target}" is ambiguous: choose one of the containers ${names}`);
  }
  const report = await describe(attachment, own.config, files);
  const terminal = openTerminal(io.environment, io.isTerminal(1), io.columns());
  const format = (isVerbose: boolean) => formatAttachment(report, terminal, { nowMs: Date.now(), isVerbose });
  const text = await formatOutput(output, {
    value: () => report,
    table: () => format(verbose),
    wide: () => format(true),
    names: () => [report.pod || report.container],
  });
  await io.writeStdout(text);
  return report.differences.length === 0 ? EXIT.fine : EXIT.failure;
}

async function describe(found: FoundAttachment, config: NetworkConfig, files: NodeFiles): Promise<AttachmentReport> {
  const { record, leases, startedMs } = found;
  const { attachment, stage } = record;
  const { id, pod, hostInterface, sandboxPath, network } = attachment;
  const addresses = leases.map(({ address }) => address);
  const observed = await observe(attachment, addresses, config, files);
  const endpoint = await readEndpoint(attachment, addresses, config, files);
  const missing: readonly Drift[] =
    addresses.length > 0 || stage !== 'attached'
      ? []
      : [{ what: `lease of container ${id.containerId}`, expected: 'an address', actual: 'none' }];
  const drift = [...missing, ...observed.drift, ...endpoint.drift];
  return {
    schema: 1,
    node: nodeNameOf(config, files) ?? 'this node',
    network,
    pod: pod === undefined ? '' : `${pod.namespace}/${pod.name}`,
    container: id.containerId,
    interface: id.interfaceName,
    stage,
    startedAt: new Date(startedMs).toISOString(),
    sandbox: { path: sandboxPath, state: observed.sandbox },
    host: await describeEnd('host', hostInterface.name, observed, []),
    inside: await describeEnd('sandbox', id.interfaceName, observed, addresses),
    leases: leases.map(({ address, path }) => ({ address: address.text, file: files.show(path) })),
    record: files.show(found.recordPath),
    endpoint: endpoint.report,
    policy: describePolicy(attachment, config, files),
    differences: drift.map((difference) => ({ ...difference, effect: effectOfDrift(difference) })),
    fix: drift.length === 0 || pod === undefined ? [] : deleteCommands([{ pod: `${pod.namespace}/${pod.name}` }]),
    operations: readLogAbout(
      id.containerId,
      config.log.filePath === undefined ? undefined : files.at(config.log.filePath),
    ),
  };
}

interface Observed {
  readonly sandbox: AttachmentReport['sandbox']['state'];
  readonly sandboxPath: string;
  readonly observations: readonly Observation[];
  readonly drift: readonly Drift[];
}

async function observe(
  attachment: Attachment,
  addresses: readonly IpAddress[],
  config: NetworkConfig,
  files: NodeFiles,
): Promise<Observed> {
  const { sandboxPath, id } = attachment;
  const nothing = { sandboxPath, observations: [], drift: [] };
  if (files.root !== '/' || sandboxPath === '') return { ...nothing, sandbox: 'not visible from here' };
  await using kernel = openKernel();
  const sandbox = await kernel.openSandbox(sandboxPath);
  if (sandbox.kind === 'unavailable') return { ...nothing, sandbox: 'gone' };
  const agent = openAgent(config);
  // Routes as CHECK expects them: those of the configuration. The MAC is the pod's own choice.
  const { routes } = expectedFromPrevResult({ interfaces: [], ips: [], routes: [], dns: {} }, config, id.interfaceName);
  const steps = planAttachmentSteps({
    attachment,
    config,
    mac: undefined,
    mtuBytes: agent.mtuBytes(),
    routesLoopback: planLoopbackRouting(config, agent.isPresent()),
    addresses,
    routes,
  });
  const observations = await kernel.observe(steps, sandbox);
  return { sandbox: 'exists', sandboxPath, observations, drift: findDrift(observations) };
}

async function describeEnd(
  place: 'host' | 'sandbox',
  name: string,
  { observations, sandboxPath, sandbox }: Observed,
  addresses: readonly IpAddress[],
): Promise<EndReport> {
  const veth = observations.find((observation) => observation.kind === 'create-veth');
  const end = place === 'host' ? veth?.host : veth?.container;
  const routes = observations.flatMap((observation) => {
    if (observation.kind !== 'add-route' || observation.step.in !== place) return [];
    const { destination, gateway } = observation.step.route;
    const text = `${formatCidr(destination)}${gateway === undefined ? '' : ` via ${gateway.text}`}`;
    return [{ text: `route ${text}`, isAsPlanned: findDrift([observation]).length === 0 }];
  });
  const settings = observations.flatMap((observation) => {
    if (observation.kind !== 'write-sysctl' || observation.step.in !== place) return [];
    const { key, value } = observation.step;
    const isAsPlanned = findDrift([observation]).length === 0;
    return [
      {
        text: `${shortKey(key)}=${observation.value ?? value}${isAsPlanned ? '' : `, expected ${value}`}`,
        isAsPlanned,
      },
    ];
  });
  const seen = observations.flatMap((observation) =>
    observation.kind === 'add-address' && observation.step.in === place ? observation.addresses.map(formatCidr) : [],
  );
  return {
    name,
    mac: end?.mac,
    mtuBytes: end?.mtuBytes,
    addresses:
      place === 'host'
        ? []
        : observations.length === 0
          ? addresses.map((address) => formatCidr(hostCidr(address)))
          : seen,
    routes,
    settings,
    neighbors: sandbox === 'exists' ? await readNeighbors(place === 'host' ? undefined : sandboxPath, name) : [],
  };
}

// net/ipv4/conf/cali123/proxy_arp
function shortKey(key: string): string {
  const parts = key.split('/');
  return parts.length < 4 ? key : `${parts[1]} ${parts.at(-1)}`;
}

async function readEndpoint(
  attachment: Attachment,
  addresses: readonly IpAddress[],
  config: NetworkConfig,
  files: NodeFiles,
) {
  const owner = endpointPod(attachment);
  const report = (text: string, state: AttachmentReport['endpoint']['state'], why: string) => ({
    addresses: text,
    state,
    why,
  });
  if (owner === undefined)
    return { report: report('', 'unknown', 'it has none: this is not the first network of a pod'), drift: [] };
  try {
    const { kubeconfigPath } = config.connection;
    const connection = {
      ...config.connection,
      kubeconfigPath: kubeconfigPath === undefined ? undefined : files.at(kubeconfigPath),
    };
    using cluster = openCluster({
      connect: () => readConnection(connection, {}),
      budgets: config.budgets,
      log: { debug: () => undefined },
    });
    const pod = await openApiBudget(cluster, config.budgets.addApiMs).readPod(owner);
    if (pod === 'absent') {
      const drift = [
        { what: `pod ${owner.namespace}/${owner.name}`, expected: 'on the API server', actual: 'deleted' },
      ];
      return { report: report('', 'differs', 'the API server has no such pod'), drift };
    }
    const planned = planWorkloadEndpoint(attachment.id.containerId, addresses);
    const drift = Object.entries(planned).flatMap(([key, expected]) => {
      const actual = pod.annotations[key] ?? 'none';
      return actual === expected
        ? []
        : [{ what: `annotation ${key} of pod ${owner.namespace}/${owner.name}`, expected, actual }];
    });
    const text = pod.annotations['cni.projectcalico.org/podIPs'] ?? '';
    return { report: report(text, drift.length === 0 ? 'as planned' : 'differs', ''), drift };
  } catch (error) {
    return { report: report('', 'unknown', files.show(messageOf(error))), drift: [] };
  }
}

function describePolicy({ pod }: Attachment, { endpointStatusDirectory }: NetworkConfig, files: NodeFiles): string {
  const folder = files.at(endpointStatusDirectory);
  if (pod === undefined || !existsSync(folder)) return 'the agent reports nothing on this node';
  const isInForce = existsSync(join(folder, endpointStatusFileName(pod)));
  return isInForce ? 'the agent reports that the policy of this pod is in force' : 'the agent does not report this pod';
}

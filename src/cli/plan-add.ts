import { formatCidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import { openAgent } from '../agent/agent.ts';
import { readOwnPod, readPodCidrs } from '../attachment/cluster-facts.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { openCluster } from '../cluster/cluster.ts';
import { readConnection } from '../cluster/credentials/connection.ts';
import { parseContainerId, parseInterfaceName } from '../cni/attachment-id.ts';
import { parseCniArgs } from '../cni/cni-args.ts';
import { CniError } from '../cni/error.ts';
import { findDelegate } from '../delegate/find-delegate.ts';
import { leaseFolder, readLeases } from '../delegate/host-local-leases.ts';
import { freeAddresses } from '../diagnosis/range.ts';
import type { JsonValue } from '../json/json.ts';
import type { NetworkConfig } from '../netconf/network-config.ts';
import { planAttachmentSteps, planLoopbackRouting } from '../plan/attachment-steps.ts';
import { attachmentFromRequest, endpointPod, type Attachment } from '../plan/attachment.ts';
import { needsPodCidr, planAllocation, planLookup } from '../plan/delegation.ts';
import { expectedFromPrevResult } from '../plan/expected-state.ts';
import { assertMtuFitsAddresses } from '../plan/mtu.ts';
import { parsePodOverrides } from '../plan/pod-overrides.ts';
import type { Step } from '../plan/step.ts';
import { planWorkloadEndpoint, type EndpointAnnotations } from '../plan/workload-endpoint.ts';
import { sha1 } from '../system/sha1.ts';
import { EXIT, UsageError, type CliIo } from './cli-io.ts';
import { describeStep, plainStep } from './describe-step.ts';
import { rangesOf } from './observe/observe-addresses.ts';
import { openNodeFiles } from './observe/node-files.ts';
import { parseOwnPlugin } from './observe/observe-configs.ts';
import { formatOutput, type OutputFormat } from './output-format.ts';
import { nextAddress } from './next-address.ts';
import { readConfiguration } from './read-configuration.ts';
import { MAX_COLUMNS } from './terminal.ts';
import { wrapText } from './wrap.ts';

/** The options of `podwire plan`. */
export interface PlanOptions {
  readonly output: OutputFormat;
  /** `default/web`; `undefined`: a network namespace without a pod. */
  readonly pod: string | undefined;
  readonly config: string | undefined;
}

/** What an ADD would do. */
interface AddPlan {
  readonly attachment: Attachment;
  readonly nodeName: string | undefined;
  readonly requests: readonly string[];
  readonly delegate: { readonly program: string; readonly ranges: readonly string[]; readonly free: readonly string[] };
  readonly sources: readonly string[];
  readonly steps: readonly Step[];
  readonly endpoint: EndpointAnnotations | undefined;
  /** The first error that ADD would report, and the number of the line that it belongs to. */
  readonly failure: { readonly line: number; readonly error: CniError } | undefined;
}

/**
 * `podwire plan`: shows what an ADD would do on this node, without doing any of it. The steps are the value that ADD
 * applies, made by the same functions from the same facts.
 *
 * @returns the exit status: 1 if the ADD would fail
 * @throws {UsageError} for a pod that is not NAMESPACE/NAME
 */
export async function runPlan({ output, pod, config: path }: PlanOptions, io: CliIo): Promise<number> {
  if (pod !== undefined && !/^[^/]+\/[^/]+$/.test(pod))
    throw new UsageError(`--pod: expected NAMESPACE/NAME, got "${pod}"`);
  const { list } = await readConfiguration(path, io);
  const config = parseOwnPlugin(list, io.environment);
  const plan = await planAdd(config, pod, io);
  const text = await formatOutput(output, {
    value: () => valueOf(plan),
    table: () => formatPlan(plan, 'short'),
    wide: () => formatPlan(plan, 'long'),
    names: () => [plan.attachment.hostInterface.name],
  });
  await io.writeStdout(text);
  return plan.failure === undefined ? EXIT.fine : EXIT.failure;
}

const LINE = { api: 1, delegate: 2, node: 3 } as const;

async function planAdd(config: NetworkConfig, podName: string | undefined, io: CliIo): Promise<AddPlan> {
  const files = openNodeFiles('/', io.environment);
  const [namespace, name] = podName?.split('/') ?? [];
  const args = parseCniArgs(name === undefined ? '' : `K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`);
  const id = { containerId: parseContainerId('plan'), interfaceName: parseInterfaceName('eth0') };
  const attachment = attachmentFromRequest({ id, args, config, sandboxPath: '' }, sha1);
  const agent = openAgent(config);
  const failures: { readonly line: number; readonly error: CniError }[] = [];
  const attempt = async <Value>(line: number, make: () => Value | Promise<Value>): Promise<Value | undefined> => {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      failures.push({ line, error });
      return undefined;
    }
  };
  const facts = await attempt(LINE.api, async () => {
    using cluster = openCluster({
      connect: () => readConnection(config.connection, io.environment),
      budgets: config.budgets,
      log: { debug: () => undefined },
    });
    const api = openApiBudget(cluster, config.budgets.addApiMs);
    const [pod, node] = await Promise.all([
      attachment.pod && readOwnPod(attachment.pod, api),
      needsPodCidr(config) ? readPodCidrs(config, api, agent) : undefined,
    ]);
    return { pod, node };
  });
  const overrides = await attempt(LINE.api, () => parsePodOverrides(facts?.pod?.annotations ?? {}, config));
  await attempt(LINE.delegate, () => findDelegate(config.delegateType, [files.layout.here.programs]));
  const podCidrs = facts?.node?.podCidrs ?? [];
  if (facts !== undefined) await attempt(LINE.delegate, () => planAllocation(config, facts.node));
  const ranges = rangesOf(config, facts?.node?.nodeName ?? '', podCidrs);
  const folder = leaseFolder(planLookup(config));
  const used = new Set(folder === undefined ? [] : readLeases(folder).map(({ address }) => address.text));
  const addresses = ranges.flatMap((range, index): readonly IpAddress[] => {
    const address = folder === undefined ? undefined : nextAddress(range, used, folder, index);
    return address === undefined ? [] : [address];
  });
  if (ranges.length > addresses.length) {
    const full = ranges.find((range) => freeAddresses(range, used, 1).length === 0);
    const message = `no IP addresses available in range set: ${full === undefined ? 'unknown' : formatCidr(full)} is full`;
    failures.push({ line: LINE.delegate, error: new CniError(11, message, { finding: 'PW305' }) });
  }
  const mtuBytes = await attempt(LINE.node, () => agent.mtuBytes());
  await attempt(LINE.node, () => assertMtuFitsAddresses(mtuBytes, addresses));
  const { routes } = expectedFromPrevResult({ interfaces: [], ips: [], routes: [], dns: {} }, config, 'eth0');
  const steps = planAttachmentSteps({
    attachment,
    config,
    mac: overrides?.mac,
    mtuBytes,
    routesLoopback: planLoopbackRouting(config, agent.isPresent()),
    addresses,
    routes,
  });
  return {
    attachment,
    nodeName: facts?.node?.nodeName,
    requests: [
      // Only a static pod is read first. Of others, writing the endpoint returns the Pod.
      ...(facts?.pod?.annotations['kubernetes.io/config.mirror'] === undefined ? [] : [`get pod ${podName}`]),
      ...(facts?.node === undefined ? [] : [`get node ${facts.node.nodeName}`]),
    ],
    delegate: {
      program: config.delegateType,
      ranges: ranges.map(formatCidr),
      free: ranges.flatMap((range) => freeAddresses(range, used, 3).map(({ text }) => text)),
    },
    sources: [
      `mtu: ${config.mtuBytes === undefined ? (mtuBytes === undefined ? 'the default of the kernel' : '/var/lib/calico/mtu') : 'the network configuration'}`,
      `nodename: ${config.podCidrNodeName ?? config.nodeName ?? config.nodeNameFile}`,
      `addresses: ${ranges.length === 0 ? 'the IPAM plugin' : podCidrs.length > 0 ? 'podCIDRs of the Node' : 'the network configuration'}`,
    ],
    steps,
    endpoint: endpointPod(attachment) === undefined ? undefined : planWorkloadEndpoint('CONTAINER_ID', addresses),
    failure: failures.toSorted((one, other) => one.line - other.line)[0],
  };
}

function valueOf(plan: AddPlan): JsonValue {
  const { attachment, nodeName, requests, delegate, steps, endpoint, failure } = plan;
  const { pod, network, hostInterface } = attachment;
  return {
    schema: 1,
    pod: pod === undefined ? null : `${pod.namespace}/${pod.name}`,
    node: nodeName ?? null,
    network,
    hostInterface: hostInterface.name,
    requests,
    delegate: { ...delegate },
    steps: steps.map(plainStep),
    endpoint: endpoint ?? null,
    failure:
      failure === undefined
        ? null
        : { step: failure.line, message: failure.error.message, finding: failure.error.finding ?? null },
  };
}

/** The columns of numbers and places. */
const INDENT = 12;

function formatPlan(plan: AddPlan, extent: 'short' | 'long'): string {
  const { attachment, nodeName, requests, delegate, steps, endpoint, failure, sources } = plan;
  const { pod, network } = attachment;
  const described = steps.map((step) => ({ ...describeStep(step), kind: step.kind }));
  const settings = described.filter(({ kind }) => kind === 'write-sysctl').length;
  const shown = extent === 'long' ? described : described.filter(({ kind }) => kind !== 'write-sysctl');
  const hidden =
    extent === 'long' || settings === 0
      ? []
      : [{ where: 'node', what: `set ${settings} settings of both interfaces (-o wide lists them)` }];
  const [create, ...rest] = shown;
  const rows = [
    { where: 'API', what: requests.length === 0 ? 'nothing yet' : requests.join(', ') },
    {
      where: 'plugin',
      what: `${delegate.program} ADD, ranges ${delegate.ranges.join(', ') || 'from its own configuration'}; free: ${delegate.free.join(', ') || 'none'}`,
    },
    ...(create === undefined ? [] : [create]),
    ...hidden,
    ...rest,
    ...(endpoint === undefined
      ? []
      : [
          {
            where: 'API',
            what: `patch pods/status: ${Object.keys(endpoint)
              .map((key) => key.split('/')[1])
              .join(', ')}`,
          },
        ]),
  ];
  const subject = pod === undefined ? 'a network namespace without a pod' : `${pod.namespace}/${pod.name}`;
  const lines = [
    ...wrapText(`ADD of ${subject} on ${nodeName ?? 'this node'}, network ${network} (nothing is done)`, MAX_COLUMNS),
    '',
    ' #  WHERE   WHAT',
    ...rows.flatMap(({ where, what }, index) =>
      wrapText(what, MAX_COLUMNS - INDENT).map((text, line) =>
        line === 0
          ? `${String(index + 1).padStart(2)}  ${where.padEnd(INDENT - 4)}${text}`
          : `${' '.repeat(INDENT)}${text}`,
      ),
    ),
    '',
    ...wrapText(`Sources: ${sources.join('; ')}.`, MAX_COLUMNS),
    ...(failure === undefined
      ? []
      : wrapText(
          `It would fail at step ${failure.line}: ${failure.error.message}${failure.error.finding === undefined ? '' : ` [${failure.error.finding}]`}`,
          MAX_COLUMNS,
        )),
  ];
  return `${lines.join('\n')}\n`;
}

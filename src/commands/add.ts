import type { CniRequest } from '../netconf/request.ts';
import { formatResult } from '../cni/result.ts';
import { readMtuBytes } from '../agent/mtu.ts';
import { waitForReadinessGates } from '../agent/readiness-gates.ts';
import { planAttachment } from '../plan/attachment-steps.ts';
import { planAllocation, planLookup } from '../plan/delegation.ts';
import { parseLease } from '../plan/lease.ts';
import { parsePodOverrides } from '../plan/pod-overrides.ts';
import { planResult } from '../plan/result.ts';
import { assertMtuFitsAddresses } from '../plan/mtu.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import { detach } from '../attachment/detach.ts';
import type { Effects } from '../attachment/effects.ts';
import { endpointPod, readAndClearEndpoint, writeEndpoint } from '../attachment/endpoint.ts';
import { planHostInterface, replaceHostInterface } from '../attachment/host-interface.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { beginEntry, assertNotSuperseded, releaseEarlierBoots, cleanUpKilledAdd } from '../attachment/cleanup.ts';
import { readPodAndNode } from '../attachment/cluster-facts.ts';
import { waitForPolicy } from '../attachment/policy.ts';
import { observeEnds, openSandbox, assertInterfaceFree } from '../attachment/sandbox.ts';
import { afterSettled, yieldToEventLoop, inBackground } from '../attachment/in-background.ts';

/**
 * Attaches a sandbox to the network and prints the result. What was done is undone, in reverse, if anything fails, the printing included.
 *
 * @throws {CniError} the first cause
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function add(request: Extract<CniRequest, { verb: 'ADD' | 'CHECK' }>, effects: Effects): Promise<void> {
  const { cluster, delegate, journal, kernel, log, output, signal } = effects;
  const { config, attachment, args, sandboxPath } = request;
  const { addApiMs, delApiMs } = config.budgets;
  if (args.pod === undefined) log.warning('CNI_ARGS names no pod: a plain network, which no policy agent will see');

  const api = openApiBudget(addApiMs, signal);
  // Handshake and answer take longer than all until they are awaited.
  const reading = inBackground(api.spend((deadline) => readPodAndNode(request, cluster, deadline)));
  await yieldToEventLoop();
  await releaseEarlierBoots(config, effects);
  await cleanUpKilledAdd(attachment, config, effects);
  using sandbox = openSandbox(request, kernel);
  delegate.require(config.delegateType);
  const mtuBytes = readMtuBytes(config);
  const hostInterface = planHostInterface(config, attachment, args.pod);
  await yieldToEventLoop(); // the server's half of the handshake is there by now, as a rule: ours can leave before netlink is loaded
  await assertInterfaceFree(sandbox, attachment.interfaceName, kernel);
  await waitForReadinessGates(config.readinessGates, signal);

  const { pod, node } = await reading;
  const { mac } = parsePodOverrides(pod?.annotations ?? {}, config);
  const delegation = planAllocation(config, node);

  await using undo = new AsyncDisposableStack();
  const target = { attachment, sandboxPath, cniArgs: args.raw };
  const release = planLookup(config);
  const facts = {
    sandboxPath,
    hostInterface: hostInterface.name,
    cniArgs: args.raw,
    pod: args.pod,
    podUid: args.podUid,
    release,
  };
  const entry = beginEntry(attachment, facts, journal);
  undo.defer(async () => entry.close());
  await replaceHostInterface(hostInterface, effects);
  // Both ends go with the host's. An interface in the sandbox that keeps ours from being made is somebody else's.
  const onNode = {
    target,
    sandbox: undefined,
    hostInterfaces: [hostInterface.name],
    unmarked: 'ours',
    release,
  } as const;
  undo.defer(entry.undoing('link and lease', () => detach(onNode, effects)));
  const lease = parseLease(await delegate.add(delegation, target, signal), delegation);

  assertMtuFitsAddresses(mtuBytes, lease.addresses);
  const containerInterface = { name: attachment.interfaceName, mac };
  const { queueCount, includeDefaultRoutes, allowIpForwarding } = config;
  const { addresses, routes } = lease;
  const link = { hostInterface, containerInterface, mtuBytes, queueCount };
  const steps = planAttachment({ ...link, addresses, routes, includeDefaultRoutes, allowIpForwarding });
  const owner = endpointPod(request);
  let writing: Promise<void> | undefined;
  if (owner !== undefined && pod !== undefined) {
    const undoShare = openApiBudget(delApiMs);
    const clear = () => undoShare.spend((deadline) => readAndClearEndpoint(request, owner, cluster, deadline));
    undo.defer(entry.undoing('endpoint', () => afterSettled(writing, clear)));
    // The API takes as long to write the endpoint as the kernel to make the link, and the agent takes one whose link is still to come.
    writing = inBackground(api.spend((deadline) => writeEndpoint(request, pod, addresses, cluster, deadline)));
  }
  await yieldToEventLoop();
  await withKernelErrors(`attach ${sandbox.path}`, () => kernel.apply(steps, sandbox));
  const ends = await observeEnds(hostInterface.name, attachment.interfaceName, sandbox, kernel);
  await writing;
  if (owner !== undefined) await waitForPolicy(config, owner, effects);
  assertNotSuperseded(entry, attachment);
  const result = planResult({ config, sandboxPath, ...ends, lease });
  await output(JSON.stringify(formatResult(result, config.cniVersion)));
  entry.markAttached();
  undo.move(); // the runtime has the result: from here on only DEL takes it down
}

import type { CniRequest } from '../cni/request.ts';
import { formatResult } from '../cni/result.ts';
import { readMtuBytes } from '../agent/mtu.ts';
import { waitForReadinessGates } from '../agent/readiness-gates.ts';
import { planAttachment } from '../plan/attachment.ts';
import { planDelegation, planRelease } from '../plan/delegation.ts';
import { parseLease } from '../plan/lease.ts';
import { parsePodWishes } from '../plan/pod-annotations.ts';
import { planResult } from '../plan/result.ts';
import { openApiShare } from './api-share.ts';
import { detach } from './detach.ts';
import type { Effects } from './effects.ts';
import { endpointPod, readAndClearEndpoint, writeEndpoint } from './endpoint.ts';
import { planHostInterface, replaceHostInterface } from './host-interface.ts';
import { inKernel } from './kernel-refusal.ts';
import { readPodAndNode } from './pod-and-node.ts';
import { waitForPolicy } from './policy.ts';
import { observeEnds, openSandbox, refuseTakenInterface } from './sandbox.ts';
import { underWay } from './under-way.ts';
import { undoing } from './undoing.ts';

/**
 * Attaches a sandbox to the network and prints the result. What was done is undone, in reverse, if anything fails, the printing included.
 *
 * @throws {CniError} the first cause
 * @see SPEC.md 1.1.0, section 2, ADD
 */
export async function add(request: Extract<CniRequest, { verb: 'ADD' | 'CHECK' }>, effects: Effects): Promise<void> {
  const { cluster, delegate, kernel, log, output, signal } = effects;
  const { config, attachment, args } = request;
  const { addApiMs, delApiMs } = config.budgets;
  if (args.pod === undefined) log.warning('CNI_ARGS names no pod: a plain network, which no policy agent will see');

  const api = openApiShare(addApiMs, signal);
  const reading = underWay(api.spend((deadline) => readPodAndNode(request, cluster, deadline))); // handshake and answer take longer than the next lines
  using sandbox = openSandbox(request, kernel);
  await refuseTakenInterface(sandbox, attachment.interfaceName, kernel);
  const mtuBytes = readMtuBytes(config);
  await waitForReadinessGates(config.readinessGates, signal);

  const { pod, node } = await reading;
  const { mac } = parsePodWishes(pod?.annotations ?? {}, config);
  const delegation = planDelegation(config, node);
  const hostInterface = planHostInterface(config.hostInterfacePrefix, attachment, args.pod);
  await replaceHostInterface(hostInterface, effects);

  await using undo = new AsyncDisposableStack();
  const onNode = { attachment, sandbox, hostInterfaces: [hostInterface.name], release: planRelease(config) };
  undo.defer(undoing('link and lease', log, () => detach(onNode, effects)));
  const lease = parseLease(await delegate.add(delegation, signal), delegation);

  const containerInterface = { name: attachment.interfaceName, mac };
  const { queueCount, includeDefaultRoutes, allowIpForwarding } = config;
  const { addresses, routes } = lease;
  const link = { hostInterface, containerInterface, mtuBytes, queueCount };
  const steps = planAttachment({ ...link, addresses, routes, includeDefaultRoutes, allowIpForwarding });
  await inKernel(`attach ${sandbox.path}`, () => kernel.apply(steps, sandbox));
  const ends = await observeEnds(hostInterface.name, attachment.interfaceName, sandbox, kernel);

  const owner = endpointPod(request);
  if (owner !== undefined && pod !== undefined) {
    const undoShare = openApiShare(delApiMs);
    undo.defer(
      undoing('endpoint', log, () =>
        undoShare.spend((deadline) => readAndClearEndpoint(request, owner, cluster, deadline)),
      ),
    );
    await api.spend((deadline) => writeEndpoint(request, pod, addresses, cluster, deadline));
    await waitForPolicy(config, owner, effects);
  }
  const result = planResult({ config, sandboxPath: request.sandboxPath, ...ends, lease });
  await output(JSON.stringify(formatResult(result, config.cniVersion)));
  undo.move(); // the runtime has the result: from here on only DEL takes it down
}

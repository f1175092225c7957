import { setTimeout as pause } from 'node:timers/promises';
import type { IpAddress } from '../address/ip-address.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { AttachmentRequest } from '../netconf/request.ts';
import { readMtuBytes } from '../agent/mtu.ts';
import { expectedFromPrevResult } from '../plan/expected-state.ts';
import { planAttachment } from '../plan/attachment-steps.ts';
import { planLookup } from '../plan/delegation.ts';
import { findDrift, formatDrift, type Drift } from '../plan/drift.ts';
import { isSamePod } from '../plan/pod-identity.ts';
import type { Step } from '../plan/step.ts';
import { planWorkloadEndpoint } from '../plan/workload-endpoint.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { Effects } from '../attachment/effects.ts';
import { endpointPod } from '../attachment/endpoint.ts';
import { planHostInterface } from '../attachment/host-interface.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { openSandbox } from '../attachment/sandbox.ts';
import { inBackground } from '../attachment/in-background.ts';

/** Others act on the same interfaces: what differs only for this long is no fault. */
const PAUSES_MS = [0, 50, 200, 500];

/**
 * Compares an attachment with what its ADD has said: both interfaces, addresses, routes, settings, the lease, and the endpoint on the Pod.
 *
 * @throws {CniError} 106 with every difference in `details`; the delegate's own error; 11 if the API cannot be asked
 * @see SPEC.md 1.1.0, section 2, CHECK
 */
export async function check(request: AttachmentRequest, effects: Effects): Promise<void> {
  const { cluster, delegate, kernel, signal } = effects;
  const { config, attachment, args, sandboxPath } = request;
  const { prevResult } = config;
  if (prevResult === undefined) {
    throw new CniError(
      ERROR_CODE.invalidConfig,
      'prevResult is missing in the network configuration: CHECK compares with it',
    );
  }
  const owner = endpointPod(request);
  const api = openApiBudget(config.budgets.addApiMs, signal);
  const reading = owner && inBackground(api.spend((deadline) => cluster.readPod(owner, deadline)));

  using sandbox = openSandbox(request, kernel);
  const { mac, addresses, routes } = expectedFromPrevResult(prevResult, config, attachment.interfaceName);
  const hostInterface = planHostInterface(config, attachment, args.pod);
  const containerInterface = { name: attachment.interfaceName, mac };
  const { queueCount, includeDefaultRoutes, allowIpForwarding } = config;
  const link = { hostInterface, containerInterface, mtuBytes: readMtuBytes(config), queueCount };
  const steps = planAttachment({ ...link, addresses, routes, includeDefaultRoutes, allowIpForwarding });
  const observe = () => withKernelErrors(`look at ${sandboxPath}`, () => kernel.observe(steps, sandbox));
  const onNode = await settledDrift(steps, observe);

  await delegate.check(planLookup(config), { attachment, sandboxPath, cniArgs: args.raw }, signal);
  const pod = onNode.length > 0 ? undefined : await reading;
  const drift = [...onNode, ...(pod === undefined ? [] : endpointDrift(pod, request, addresses))];
  if (drift.length === 0) return;
  throw new CniError(
    ERROR_CODE.drifted,
    `container ${attachment.containerId}, ${attachment.interfaceName}, is not as it was attached: ${drift.length} differences; ` +
      'delete the pod, so that it is attached anew, and look for what has changed it',
    { details: formatDrift(drift) },
  );
}

async function settledDrift(
  steps: readonly Step[],
  observe: () => Promise<Parameters<typeof findDrift>[1]>,
): Promise<readonly Drift[]> {
  let drift: readonly Drift[] = [];
  for (const pauseMs of PAUSES_MS) {
    if (pauseMs > 0) await pause(pauseMs);
    drift = findDrift(steps, await observe());
    if (drift.length === 0) break;
  }
  return drift;
}

function endpointDrift(
  pod: Pod | 'absent',
  { attachment, args }: AttachmentRequest,
  addresses: readonly IpAddress[],
): readonly Drift[] {
  const name = `pod ${args.pod?.namespace}/${args.pod?.name}`;
  if (pod === 'absent') return [{ what: name, wanted: 'on the API server', found: 'deleted' }];
  if (!isSamePod(pod, args.podUid)) return [{ what: `uid of ${name}`, wanted: args.podUid ?? '', found: pod.uid }];
  return Object.entries(planWorkloadEndpoint(attachment.containerId, addresses)).flatMap(([key, wanted]) => {
    const found = pod.annotations[key];
    return found === wanted ? [] : [{ what: `annotation ${key} of ${name}`, wanted, found: found ?? 'missing' }];
  });
}

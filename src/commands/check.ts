import type { IpAddress } from '../address/ip-address.ts';
import type { Effects } from '../attachment/effects.ts';
import { bothSettled } from '../attachment/both-settled.ts';
import { inBackground } from '../attachment/in-background.ts';
import { withKernelErrors } from '../attachment/kernel-errors.ts';
import { openSandbox } from '../attachment/sandbox.ts';
import { openApiBudget } from '../cluster/api-budget.ts';
import type { Pod } from '../cluster/pod.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { Sandbox } from '../kernel/kernel.ts';
import type { AttachmentRequest } from '../netconf/request.ts';
import { planAttachmentSteps, planLoopbackRouting } from '../plan/attachment-steps.ts';
import { attachmentFromRequest, endpointPod, type Attachment } from '../plan/attachment.ts';
import { findDrift, formatDrift, type Drift } from '../plan/drift.ts';
import { expectedFromPrevResult } from '../plan/expected-state.ts';
import { isSamePod } from '../plan/pod-identity.ts';
import type { Step } from '../plan/step.ts';
import { planWorkloadEndpoint } from '../plan/workload-endpoint.ts';
import { sha1 } from '../system/sha1.ts';

/** Other programs change the same interfaces: a difference that lasts only this long is not a fault. */
const PAUSES_MS = [0, 50, 200, 500];

/**
 * Compares an attachment with the result of its ADD: both interfaces, addresses, routes, settings, the lease, and the endpoint on the Pod.
 *
 * @throws {CniError} drifted (106) with every difference in `details`; the IPAM plugin's own error; tryAgainLater (11) if the API does not
 *   answer
 * @see SPEC.md 1.1.0, section 2, CHECK
 */
export async function check(request: AttachmentRequest, effects: Effects): Promise<void> {
  const { config } = request;
  if (config.prevResult === undefined) {
    throw new CniError(
      ERROR_CODE.invalidConfig,
      'prevResult is missing in the network configuration: CHECK compares the attachment with it',
    );
  }
  const attachment = attachmentFromRequest(request, sha1);
  const owner = endpointPod(attachment);
  const api = openApiBudget(effects.cluster, config.budgets.addApiMs, effects.signal);
  const reading = owner && inBackground(api.readPod(owner));

  using sandbox = await openSandbox(request, effects);
  const expected = expectedFromPrevResult(config.prevResult, config, attachment.id.interfaceName);
  const mtuBytes = effects.agent.mtuBytes();
  const routesLoopback = planLoopbackRouting(config, effects.agent.isPresent());
  const steps = planAttachmentSteps({ attachment, config, mtuBytes, routesLoopback, ...expected });
  const [linkDrift] = await bothSettled(
    settledDrift(steps, sandbox, effects),
    effects.delegate.check(attachment, effects.signal),
  );
  const pod = linkDrift.length > 0 ? undefined : await reading;
  const drift = [...linkDrift, ...(pod === undefined ? [] : endpointDrift(pod, attachment, expected.addresses))];
  if (drift.length > 0) throw driftedError(attachment, drift);
}

async function settledDrift(
  steps: readonly Step[],
  sandbox: Sandbox,
  { clock, kernel, signal }: Pick<Effects, 'clock' | 'kernel' | 'signal'>,
): Promise<readonly Drift[]> {
  let drift: readonly Drift[] = [];
  for (const pauseMs of PAUSES_MS) {
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
    drift = findDrift(await withKernelErrors(`inspect ${sandbox.path}`, () => kernel.observe(steps, sandbox)));
    if (drift.length === 0) break;
  }
  return drift;
}

function endpointDrift(
  found: Pod | 'absent',
  { id, pod }: Attachment,
  addresses: readonly IpAddress[],
): readonly Drift[] {
  const name = `pod ${pod?.namespace}/${pod?.name}`;
  if (found === 'absent') return [{ what: name, expected: 'on the API server', actual: 'deleted' }];
  if (!isSamePod(found, pod?.uid)) return [{ what: `uid of ${name}`, expected: pod?.uid ?? '', actual: found.uid }];
  return Object.entries(planWorkloadEndpoint(id.containerId, addresses)).flatMap(([key, expected]) => {
    const actual = found.annotations[key];
    return actual === expected ? [] : [{ what: `annotation ${key} of ${name}`, expected, actual: actual ?? 'none' }];
  });
}

function driftedError({ id }: Attachment, drift: readonly Drift[]): CniError {
  return new CniError(
    ERROR_CODE.drifted,
    `container ${id.containerId}, ${id.interfaceName}, differs from the result of its ADD in ${drift.length} points; ` +
      'delete the pod, so that it is created again, and find out what changed it',
    { details: formatDrift(drift), finding: 'PW601' },
  );
}

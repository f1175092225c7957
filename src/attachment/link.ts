import type { IsGone } from '../kernel/apply.ts';
import type { Kernel, Sandbox } from '../kernel/kernel.ts';
import { CniError, ERROR_CODE } from '../cni/error.ts';
import type { Log } from '../log/log.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import type { Attachment } from '../plan/attachment.ts';
import { HOST_INTERFACE_MAC } from '../plan/attachment-steps.ts';
import type { Step } from '../plan/step.ts';
import type { Effects } from './effects.ts';
import { withKernelErrors } from './kernel-errors.ts';
import { isOfGoneContainer } from './route-owner.ts';

type LinkKernel = Pick<Kernel, 'apply' | 'observeInterface' | 'sandboxExists'>;

interface LinkEffects {
  readonly journal: Pick<Effects['journal'], 'find' | 'isInProgress'>;
  readonly kernel: LinkKernel;
  readonly log: Pick<Log, 'warning'>;
}

/** Both ends of a veth pair as the kernel has them. */
export interface LinkEnds {
  readonly hostInterface: ObservedInterface;
  readonly containerInterface: ObservedInterface;
}

/**
 * Applies the steps of an attachment, logs their warnings, and reads back both ends, which the result reports.
 *
 * @throws {CniError} routeTaken (104), or kernelRefused (101), also if another program has changed an end in the meantime
 */
export async function createLink(
  steps: readonly Step[],
  attachment: Attachment,
  sandbox: Sandbox,
  { journal, kernel, log }: LinkEffects,
): Promise<LinkEnds> {
  const isGone: IsGone = (owner) => isOfGoneContainer(owner, attachment.network, { journal, kernel });
  const warnings = await withKernelErrors(`attach ${sandbox.path}`, () => kernel.apply(steps, sandbox, isGone));
  for (const warning of warnings) log.warning(warning);
  return readEnds(attachment, sandbox, kernel);
}

// The pod's IPv6 routes rely on the MAC of the host end, which udev rules have rewritten on some nodes (calico#763, calico#8689).
async function readEnds(
  { hostInterface: { name }, id }: Attachment,
  sandbox: Sandbox,
  kernel: LinkKernel,
): Promise<LinkEnds> {
  const { interfaceName } = id;
  const [hostInterface, containerInterface] = await withKernelErrors(`inspect ${name} and ${interfaceName}`, () =>
    Promise.all([kernel.observeInterface('host', name), kernel.observeInterface(sandbox, interfaceName)]),
  );
  if (hostInterface?.mac === HOST_INTERFACE_MAC && containerInterface !== undefined) {
    return { hostInterface, containerInterface };
  }
  throw new CniError(
    ERROR_CODE.kernelRefused,
    `another program changed the veth pair ${name} and ${interfaceName} while it was created: ` +
      (containerInterface === undefined || hostInterface === undefined
        ? 'one end is gone'
        : `the host end has MAC ${hostInterface.mac}, not ${HOST_INTERFACE_MAC}; look for a udev rule or a network manager that manages cali* interfaces`),
    { details: `sandbox ${sandbox.path}` },
  );
}

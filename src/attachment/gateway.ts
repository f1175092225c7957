import type { IpAddress } from '../address/ip-address.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Log } from '../log/log.ts';
import { GATEWAYS } from '../plan/attachment-steps.ts';
import type { ObservedInterface } from '../plan/observation.ts';
import { withKernelErrors } from './kernel-errors.ts';

/** A pod that has just been attached. */
interface AttachedAddresses {
  readonly hostInterface: ObservedInterface;
  readonly addresses: readonly IpAddress[];
}

interface GatewayEffects {
  readonly kernel: Pick<Kernel, 'findGatewayProblem'>;
  readonly log: Pick<Log, 'warning'>;
}

/**
 * Logs a warning if the node does not answer ARP requests of pods for their IPv4 gateway. It is not an error: the route
 * that is missing may be added later, by a routing daemon for example, and then pods have their network.
 *
 * @param attached the pod that asks, or `undefined` for pods in general
 * @throws {CniError} kernelRefused (101)
 */
export async function warnAboutGateway({ kernel, log }: GatewayEffects, attached?: AttachedAddresses): Promise<void> {
  const address = attached?.addresses.find(({ family }) => family === 'ipv4');
  if (attached !== undefined && address === undefined) return;
  const end = attached && address && { address, hostInterface: attached.hostInterface };
  const problem = await withKernelErrors('look up the route to the gateway of pods', () =>
    kernel.findGatewayProblem(GATEWAYS.ipv4, end),
  );
  if (problem !== undefined) log.warning(problem);
}

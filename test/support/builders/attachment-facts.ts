import { parseCidr } from '../../../src/address/cidr.ts';
import { parseIpAddress } from '../../../src/address/ip-address.ts';
import type { AttachmentFacts } from '../../../src/plan/attachment-steps.ts';
import type { Route } from '../../../src/plan/step.ts';
import { attachmentId } from './attachment.ts';

/** What the steps of an attachment depend on, with addresses as text and the configuration's keys side by side. */
export interface AttachmentFactsOverrides
  extends
    Partial<Pick<AttachmentFacts, 'mtuBytes' | 'mac' | 'routes' | 'routesLoopback'>>,
    Partial<AttachmentFacts['config']> {
  readonly hostInterface?: AttachmentFacts['attachment']['hostInterface'];
  readonly interfaceName?: string;
  readonly addresses?: readonly string[];
}

/** The facts of an IPv4 pod without any settings, except for `overrides`. */
export function attachmentFacts({
  hostInterface = { name: 'cali54a674feafd', alias: 'podwire c1 eth0 net default/rec' },
  interfaceName = 'eth0',
  addresses = ['10.0.0.5'],
  mtuBytes,
  mac,
  routes = [],
  routesLoopback = true,
  queueCount,
  includeDefaultRoutes = false,
  allowIpForwarding = false,
}: AttachmentFactsOverrides = {}): AttachmentFacts {
  return {
    attachment: { id: attachmentId('c1', interfaceName), hostInterface },
    config: { queueCount, includeDefaultRoutes, allowIpForwarding },
    mtuBytes,
    mac,
    addresses: addresses.map(parseIpAddress),
    routes,
    routesLoopback,
  };
}

/** A route of an attachment, with its destination as text: on the link, to 10.0.0.5, except for the overrides. */
export function plannedRoute({
  destination = '10.0.0.5/32',
  ...overrides
}: Partial<Omit<Route, 'destination'>> & { readonly destination?: string } = {}): Route {
  return { gateway: undefined, scope: 'link', ...overrides, destination: parseCidr(destination) };
}

import { parseIpAddress } from '../../src/address/ip-address.ts';
import type { AttachmentFacts } from '../../src/plan/attachment-steps.ts';

/** The facts of a valid attachment, special only where `overrides` says so; `addresses` as text. */
export function attachmentFacts({
  addresses = ['10.0.0.5'],
  ...overrides
}: Partial<Omit<AttachmentFacts, 'addresses'>> & { readonly addresses?: readonly string[] } = {}): AttachmentFacts {
  return {
    hostInterface: { name: 'cali54a674feafd', alias: 'podwire c1 eth0 default/rec' },
    containerInterface: { name: 'eth0', mac: undefined },
    mtuBytes: undefined,
    queueCount: undefined,
    routes: [],
    includeDefaultRoutes: false,
    allowIpForwarding: false,
    ...overrides,
    addresses: addresses.map(parseIpAddress),
  };
}

import { expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { warnAboutGateway } from '../../src/attachment/gateway.ts';
import { parseMacAddress } from '../../src/address/mac-address.ts';
import type { ObservedInterface } from '../../src/plan/observation.ts';

const HOST_INTERFACE: ObservedInterface = {
  index: 7,
  name: 'cali1',
  mac: parseMacAddress('ee:ee:ee:ee:ee:ee'),
  mtuBytes: 1500,
  alias: undefined,
  linkKind: 'veth',
  peerIndex: 2,
  isUp: true,
};

const PROBLEM = 'the node does not answer';

async function warningsOf(...addresses: readonly string[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  const log = { ...SILENT, warning: (text: string) => void warnings.push(text) };
  const kernel = { findGatewayProblem: async () => PROBLEM };
  await warnAboutGateway({ kernel, log }, { hostInterface: HOST_INTERFACE, addresses: addresses.map(parseIpAddress) });
  return warnings;
}
const SILENT = { debug: () => undefined, info: () => undefined, error: () => undefined };

it('a pod with an IPv4 address is warned about', async () => expect(await warningsOf('10.0.0.5')).toEqual([PROBLEM]));
it('a pod without one is not', async () => expect(await warningsOf('fd00::5')).toEqual([]));

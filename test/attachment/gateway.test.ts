import { expect, it } from 'vitest';
import { parseIpAddress } from '../../src/address/ip-address.ts';
import { warnAboutGateway } from '../../src/attachment/gateway.ts';
import { attachment } from '../support/builders/attachment.ts';

const PROBLEM = 'the node does not answer';

async function warningsOf(...addresses: readonly string[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  const log = { ...SILENT, warning: (text: string) => void warnings.push(text) };
  const kernel = { findGatewayProblem: async () => PROBLEM };
  await warnAboutGateway({ kernel, log }, { attachment: attachment(), addresses: addresses.map(parseIpAddress) });
  return warnings;
}
const SILENT = { debug: () => undefined, info: () => undefined, error: () => undefined };

it('a pod with an IPv4 address is warned about', async () => expect(await warningsOf('10.0.0.5')).toEqual([PROBLEM]));
it('a pod without one is not', async () => expect(await warningsOf('fd00::5')).toEqual([]));

import type { Cidr } from '../../address/cidr.ts';
import type { Environment } from '../../cni/environment.ts';
import { usableCount } from '../../diagnosis/range.ts';
import { openJournal } from '../../journal/journal.ts';
import type { NetworkGauges } from '../../metrics/metrics.ts';
import { needsPodCidr } from '../../plan/delegation.ts';
import { openNodeFiles } from './node-files.ts';
import { observeAddresses } from './observe-addresses.ts';
import { observeConfigs } from './observe-configs.ts';

/**
 * Counts leases, addresses and pending endpoints of podwire's network on this node. Empty without a valid configuration of
 * podwire.
 *
 * @param root where the file system of the node is
 * @param readPodCidrs is called if the configuration uses the podCIDRs of the Node
 */
export async function observeNetworks(
  root: string,
  environment: Environment,
  readPodCidrs: () => Promise<readonly Cidr[]>,
): Promise<readonly NetworkGauges[]> {
  const files = openNodeFiles(root, environment);
  const { here } = files.layout;
  const { own } = observeConfigs(here.configs, environment);
  if (own.kind !== 'valid') return [];
  const { config } = own;
  const podCidrs = needsPodCidr(config) ? await readPodCidrs() : [];
  const addresses = observeAddresses(config, undefined, podCidrs, files);
  const { leases, ranges } = addresses.kind === 'seen' ? addresses.value : { leases: [], ranges: [] };
  const journal = openJournal(config.name, SILENT, { records: here.state, rejected: '/run/podwire/rejected' });
  const known = new Set<string>(journal.list().map(({ id }) => id.containerId));
  const stateOf = (containerId: string | undefined) => {
    if (containerId === undefined) return 'damaged';
    return known.has(containerId) ? 'attached' : 'unknown';
  };
  const families = [...new Set([...ranges, ...leases].map(({ address }) => address.family))];
  return [
    {
      network: config.name,
      leases: families.flatMap((family) =>
        STATES.map((state) => ({
          family,
          state,
          count: leases.filter(
            ({ address, containerId }) => address.family === family && stateOf(containerId) === state,
          ).length,
        })),
      ),
      capacity: families.flatMap((family) => {
        const ofFamily = ranges.filter(({ address }) => address.family === family);
        const count = ofFamily.reduce((sum, range) => sum + usableCount(range), 0);
        return ofFamily.length === 0 ? [] : [{ family, count }];
      }),
      pendingEndpoints: journal.listEndpoints().length,
    },
  ];
}

const SILENT = { warning: () => undefined };
const STATES = ['attached', 'unknown', 'damaged'] as const;

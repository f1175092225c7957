import type { Environment } from '../../../src/cni/environment.ts';
import type { JsonObject } from '../../../src/json/json.ts';
import type { RequestInput } from '../../../src/netconf/request.ts';
import { netconf } from '../../lab/netconf.ts';

/** The input of a valid ADD, with `overrides`. `undefined` unsets a variable. */
export function requestInput({
  environment = {},
  config = netconf(),
  stdin = JSON.stringify(config),
}: {
  readonly environment?: Environment;
  readonly config?: JsonObject;
  readonly stdin?: string | Uint8Array;
} = {}): RequestInput {
  return {
    environment: {
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: '/var/run/netns/pod',
      CNI_IFNAME: 'eth0',
      CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0',
      CNI_PATH: '/opt/cni/bin',
      ...environment,
    },
    stdin: typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin,
  };
}

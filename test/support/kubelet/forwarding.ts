import { hostNamespace } from '../../lab/namespaces/network-namespace.ts';

const FORWARDING = ['net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding'] as const;

/**
 * Lets the node pass packets on, as every node of a cluster must. The agent or the administrator sees to it, no CNI plugin:
 * the kernel forwards IPv6 by the setting for all interfaces, whatever a single one says.
 */
export async function forwardOnNode(): Promise<AsyncDisposable> {
  const host = hostNamespace();
  const write = (value: '0' | '1') => host.exec('sysctl', '-q', ...FORWARDING.map((key) => `${key}=${value}`));
  await write('1');
  return {
    async [Symbol.asyncDispose]() {
      await write('0');
    },
  };
}

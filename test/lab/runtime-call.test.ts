import { describe, expect, it } from 'vitest';
import { runtimeEnvironment, runtimeStdin } from './runtime-call.ts';

const PATH = { PATH: process.env['PATH'] };

describe('the environment of a call', () => {
  it('has all variables for an attachment of a pod', () =>
    expect(
      runtimeEnvironment({
        verb: 'ADD',
        containerId: 'c1',
        interfaceName: 'eth0',
        sandboxPath: '/run/netns/web',
        pluginPath: '/opt/cni/bin',
        pod: { namespace: 'default', name: 'web', uid: 'uid-1' },
      }),
    ).toEqual({
      ...PATH,
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: 'c1',
      CNI_IFNAME: 'eth0',
      CNI_NETNS: '/run/netns/web',
      CNI_PATH: '/opt/cni/bin',
      CNI_ARGS:
        'IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=c1;K8S_POD_UID=uid-1',
    }));
  it('has no more than is known of the call', () =>
    expect(runtimeEnvironment({ verb: 'STATUS', pluginPath: '/opt/cni/bin' })).toEqual({
      ...PATH,
      CNI_COMMAND: 'STATUS',
      CNI_PATH: '/opt/cni/bin',
    }));
  it('is changed by overrides, which can unset a variable', () =>
    expect(
      runtimeEnvironment({
        verb: 'ADD',
        pluginPath: '/opt/cni/bin',
        environment: { CNI_PATH: undefined, CNI_ARGS: 'a=b' },
      }),
    ).toEqual({ ...PATH, CNI_COMMAND: 'ADD', CNI_ARGS: 'a=b' }));
});

it('the input of a call is the configuration as JSON, or a text or bytes as they are', () => {
  const bytes = Uint8Array.of(0xff);
  expect([{ name: 'net' }, '{', bytes].map(runtimeStdin)).toEqual(['{"name":"net"}', '{', bytes]);
});

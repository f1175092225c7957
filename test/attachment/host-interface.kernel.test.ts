import { describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { planHostInterface, replaceHostInterface } from '../../src/attachment/host-interface.ts';
import { openKernel } from '../../src/kernel/kernel.ts';
import { anAttachment } from '../support/a-record.ts';
import { networkConfig } from '../support/network-config.ts';
import { hostNamespace } from '../lab/namespaces/network-namespace.ts';

const WEB = { namespace: 'default', name: 'web' };
const LOG = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };

/** The interface that a container of the pod gets, on a node where one of that name is there already: is it there afterwards? */
async function replace(
  alias: string,
  { kind = 'veth', pod = WEB }: { kind?: string; pod?: typeof WEB | undefined } = {},
) {
  const kernel = openKernel();
  onTestFinished(() => kernel[Symbol.asyncDispose]());
  const planned = planHostInterface(
    { hostInterfacePrefix: 'pwhi', name: 'net' },
    anAttachment('0123456789abcdef'),
    pod,
  );
  const host = hostNamespace();
  await host.ip('link', 'add', planned.name, 'type', kind);
  if (alias !== '') await host.ip('link', 'set', planned.name, 'alias', alias);
  const error: unknown = await replaceHostInterface(planned, { kernel, log: LOG }).catch((reason: unknown) => reason);
  const isThere = (await kernel.observeInterface('host', planned.name)) !== undefined;
  if (isThere) await host.ip('link', 'delete', planned.name);
  return { error, isThere };
}

describe('a host interface', () => {
  it('has the name that the agent computes, and names its owner', () => {
    const planned = planHostInterface(networkConfig(), anAttachment(), WEB);
    expect(planned).toEqual({ name: 'cali68caf03a5f4', alias: 'podwire c1 eth0 k8s-pod-network default/web' });
    expect(planHostInterface(networkConfig(), anAttachment(), undefined)).toEqual({
      name: 'calic1',
      alias: 'podwire c1 eth0 k8s-pod-network ',
    });
  });
});

describe('a host interface of the same name', () => {
  const replaces = (what: string, alias: string, overrides?: Parameters<typeof replace>[1]) =>
    it(`is replaced: ${what}`, async () =>
      expect(await replace(alias, overrides)).toEqual({ error: undefined, isThere: false }));
  replaces('an earlier sandbox’s of the same pod', 'podwire c0 eth0 net default/web');
  replaces('another plugin’s, which marks none', '');
  replaces('another plugin’s, which marks it otherwise', 'k8s pod');

  const refuses = (what: string, alias: string, overrides?: Parameters<typeof replace>[1]) =>
    it(`is refused, and stays: ${what}`, async () => {
      const { error, isThere } = await replace(alias, overrides);
      expect({ error, isThere }).toEqual({
        error: expect.objectContaining({ code: ERROR_CODE.interfaceTaken }),
        isThere: true,
      });
    });
  refuses('another pod’s, whose name has the same hash', 'podwire c0 eth0 net default/other');
  refuses('no veth', '', { kind: 'bridge' });
});

import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/install/layout.ts';

const NAMES = { programs: '/opt/cni/bin', configs: '/var/lib/k3s/net.d' };

describe('where the folders of a node are', () => {
  it('in a container they are mounted at fixed paths, whatever their paths on the node are', () => {
    const { here, onNode, isThisMachine } = layoutOf('/host', NAMES);
    expect(here).toEqual({
      programs: '/host/opt/cni/bin',
      configs: '/host/etc/cni/net.d',
      state: '/host/var/lib/podwire',
    });
    expect(onNode).toEqual({ ...NAMES, state: '/var/lib/podwire' });
    expect(isThisMachine).toBe(false);
  });

  it('on the node itself they have their own paths', () => {
    const { here, onNode, isThisMachine } = layoutOf('/', NAMES);
    expect(here).toEqual(onNode);
    expect(isThisMachine).toBe(true);
  });
});

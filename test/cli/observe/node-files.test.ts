import { expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';

it('on the node itself every path is the same', () => {
  const { at, show } = openNodeFiles('/', {});
  expect([at('/var/lib/cni'), show('the file /a')]).toEqual(['/var/lib/cni', 'the file /a']);
});

it('in a container, paths are below the root, and messages show those of the node', () => {
  const { at, show } = openNodeFiles('/host', {});
  expect([at('/var/lib/cni'), show('the file /host/etc/x of /host/y')]).toEqual([
    '/host/var/lib/cni',
    'the file /etc/x of /y',
  ]);
});

it('other folders of the runtime are mounted where the DaemonSet mounts them', () => {
  const { at } = openNodeFiles('/host', { CNI_NET_DIR: '/etc/k3s/net.d' });
  expect(at('/etc/k3s/net.d/10-podwire.conflist')).toBe('/host/etc/cni/net.d/10-podwire.conflist');
});

it('without a root, the mounts of the DaemonSet decide', () => expect(openNodeFiles(undefined, {}).root).toBe('/'));

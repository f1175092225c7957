import { expect, it } from 'vitest';
import { removeLeftovers } from '../../src/install/operation.ts';

it('temporary files are removed under their own names', () => {
  expect(removeLeftovers(['/host/opt/cni/bin/.a.tmp', '/host/etc/cni/net.d/.b.tmp'])).toEqual([
    { kind: 'remove-file', path: '/host/opt/cni/bin/.a.tmp', shownPath: '/host/opt/cni/bin/.a.tmp' },
    { kind: 'remove-file', path: '/host/etc/cni/net.d/.b.tmp', shownPath: '/host/etc/cni/net.d/.b.tmp' },
  ]);
});

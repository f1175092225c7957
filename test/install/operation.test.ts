import { expect, it } from 'vitest';
import { removeLeftovers } from '../../src/install/operation.ts';

it('unfinished files are removed each under its own name', () => {
  expect(removeLeftovers(['/host/opt/cni/bin/.a.tmp', '/host/etc/cni/net.d/.b.tmp'])).toEqual([
    { kind: 'remove-file', path: '/host/opt/cni/bin/.a.tmp', shownPath: '/host/opt/cni/bin/.a.tmp' },
    { kind: 'remove-file', path: '/host/etc/cni/net.d/.b.tmp', shownPath: '/host/etc/cni/net.d/.b.tmp' },
  ]);
});

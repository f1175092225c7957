import { expect, it } from 'vitest';
import { parseZones } from '../../../src/cli/observe/firewalld-zones.ts';

it('what firewalld 1.3 prints', () =>
  expect(parseZones('public\n  interfaces: eth0 cali1\ntrusted\n  sources: 10.244.0.0/16\n')).toEqual([
    { name: 'public', interfaces: ['eth0', 'cali1'], sources: [] },
    { name: 'trusted', interfaces: [], sources: ['10.244.0.0/16'] },
  ]));

it('what firewalld 2 prints', () =>
  expect(parseZones('public (default)\n  interfaces: eth0\n  sources: \n')).toEqual([
    { name: 'public', interfaces: ['eth0'], sources: [] },
  ]));

it('no zone is active', () => expect(parseZones('')).toEqual([]));

import { expect, it } from 'vitest';
import { formatVersions } from '../../src/cni/version-result.ts';

it('VERSION echoes the version and lists all that are spoken', () =>
  expect(formatVersions('0.4.0')).toEqual({
    cniVersion: '0.4.0',
    supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
  }));

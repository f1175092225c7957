import { expect, it } from 'vitest';
import { cleanEnvironment } from '../../build/clean-environment.ts';

it('an environment without variables of Node stays as it is', () =>
  expect(cleanEnvironment({ PATH: '/bin', NODE_NAME: 'n1', CNI_COMMAND: 'ADD' })).toBeUndefined());

it('only the variables that change Node are removed, even if they are empty', () =>
  expect(cleanEnvironment({ PATH: '/bin', NODE_NAME: 'n1', NODE_EXTRA_CA_CERTS: '', NODE_DEBUG: 'tls' })).toEqual({
    PATH: '/bin',
    NODE_NAME: 'n1',
  }));

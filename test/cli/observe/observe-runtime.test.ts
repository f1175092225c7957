import { expect, it } from 'vitest';
import { openNodeFiles } from '../../../src/cli/observe/node-files.ts';
import { findRuntimeSocket, observeRuntime } from '../../../src/cli/observe/observe-runtime.ts';

it('CONTAINER_RUNTIME_ENDPOINT names the socket, as for crictl', () =>
  expect(findRuntimeSocket({ CONTAINER_RUNTIME_ENDPOINT: 'unix:///run/x.sock' }, openNodeFiles('/', {}))).toBe(
    '/run/x.sock',
  ));
it('otherwise it is one that exists', () => expect(findRuntimeSocket({}, openNodeFiles('/none', {}))).toBeUndefined());
it('without a socket the runtime is not seen, and the reason says from where it is', async () =>
  expect(await observeRuntime(undefined, 1000)).toEqual({
    kind: 'unseen',
    why: expect.stringContaining('run this on the node'),
  }));
it('a runtime that does not answer is not seen', async () =>
  expect(await observeRuntime('/none/x.sock', 500)).toMatchObject({
    kind: 'unseen',
    why: expect.stringContaining('does not answer'),
  }));

import { afterAll, beforeAll, expect, it } from 'vitest';
import { observeName } from '../../../src/cli/observe/observe-name.ts';
import { startNameServer, type NameServer } from '../../lab/name-server.ts';

let dead: NameServer;
let alive: NameServer;
beforeAll(async () => {
  [dead, alive] = [await startNameServer({ answer: undefined }), await startNameServer({ answer: '192.0.2.7' })];
});
afterAll(() => {
  dead[Symbol.dispose]();
  alive[Symbol.dispose]();
});

it('asks each name server', async () =>
  expect(await observeName('api.invalid', 2000, [dead.address, alive.address])).toEqual({
    name: 'api.invalid',
    addresses: [],
    servers: [
      { address: dead.address, answer: 'no answer' },
      { address: alive.address, answer: 'address' },
    ],
  }));

it('a name in /etc/hosts', async () =>
  expect((await observeName('localhost', 2000, []))?.addresses).toContain('127.0.0.1'));

it.each(['192.0.2.1', '2001:db8::1'])('an address is not looked up: %s', async (address) =>
  expect(await observeName(address, 2000, [dead.address])).toBeUndefined(),
);

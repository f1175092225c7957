import { promisify } from 'node:util';
import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNameServer, type NameServer } from '../../lab/name-server.ts';
import { describeNameServers, makeLookup, type NameSources } from '../../../src/cluster/wire/resolve-name.ts';

let dead: NameServer;
let alive: NameServer;
beforeAll(async () => {
  [dead, alive] = [await startNameServer({ answer: undefined }), await startNameServer({ answer: '192.0.2.7' })];
});
afterAll(() => {
  dead[Symbol.dispose]();
  alive[Symbol.dispose]();
});

const resolve = (lookup: LookupFunction, name: string) =>
  new Promise((found, failed) =>
    lookup(name, { all: true }, (error, addresses) => (error === null ? found(addresses) : failed(error))),
  );
const waitsForever: NameSources['lookup'] = () => undefined;

describe('a lookup', () => {
  it('while the first name server is dead takes the address from the second, long before the C library would', async () => {
    const begunMs = performance.now();
    const lookup = makeLookup({ lookup: waitsForever, servers: [dead.address, alive.address] });
    expect(await resolve(lookup, 'api.example')).toEqual([{ address: '192.0.2.7', family: 4 }]);
    expect(performance.now() - begunMs).toBeLessThan(1200);
  });

  it('takes what the C library has, such as /etc/hosts, without asking', async () => {
    const servers = [alive.address];
    const lookup = makeLookup({
      lookup: (_, __, found) => found(null, [{ address: '127.0.0.9', family: 4 }]),
      servers,
    });
    expect(await resolve(lookup, 'api.example')).toEqual([{ address: '127.0.0.9', family: 4 }]);
  });

  it('gives one address where one is expected', async () => {
    const lookup = makeLookup({ lookup: (_, __, found) => found(null, [{ address: '::9', family: 6 }]), servers: [] });
    expect(await promisify(lookup)('api.example', {})).toBe('::9');
  });

  it('fails as the C library does', async () => {
    const unknown = Object.assign(new Error('x'), { code: 'ENOTFOUND' });
    const lookup = makeLookup({ lookup: (_, __, found) => found(unknown, []), servers: [alive.address] });
    await expect(resolve(lookup, 'api.example')).rejects.toBe(unknown);
  });
});

it('the name servers are named in messages', () => {
  expect(describeNameServers(['10.0.0.1', '10.0.0.2'])).toBe('10.0.0.1, 10.0.0.2');
  expect(describeNameServers([])).toBe('none is configured');
});

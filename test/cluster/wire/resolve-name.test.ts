import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNameServer, type NameServer } from '../../lab/name-server.ts';
import { describeNameServers, resolveName, type NameSources } from '../../../src/cluster/wire/resolve-name.ts';

let dead: NameServer;
let alive: NameServer;
beforeAll(async () => {
  [dead, alive] = [await startNameServer({ answer: undefined }), await startNameServer({ answer: '192.0.2.7' })];
});
afterAll(() => {
  dead[Symbol.dispose]();
  alive[Symbol.dispose]();
});

const waitsForever: NameSources['lookup'] = () => undefined;

describe('a lookup', () => {
  it('while the first name server is dead takes the address from the second', async () => {
    const sources = { lookup: waitsForever, servers: [dead.address, alive.address] };
    expect(await resolveName('api.example', sources)).toEqual(['192.0.2.7']);
  });

  it('takes what the C library has, such as /etc/hosts, without asking', async () => {
    const lookup: NameSources['lookup'] = (_, __, found) =>
      found(null, [
        { address: '127.0.0.9', family: 4 },
        { address: '::9', family: 6 },
      ]);
    expect(await resolveName('api.example', { lookup, servers: [alive.address] })).toEqual(['127.0.0.9', '::9']);
  });

  it('fails as the C library does', async () => {
    const unknown = Object.assign(new Error('x'), { code: 'ENOTFOUND' });
    const lookup: NameSources['lookup'] = (_, __, found) => found(unknown, []);
    await expect(resolveName('api.example', { lookup, servers: [alive.address] })).rejects.toBe(unknown);
  });
});

it('the name servers are named in messages', () => {
  expect(describeNameServers(['10.0.0.1', '10.0.0.2'])).toBe('10.0.0.1, 10.0.0.2');
  expect(describeNameServers([])).toBe('none is configured');
});

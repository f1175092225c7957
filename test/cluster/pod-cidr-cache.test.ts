import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { openPodCidrCache } from '../../src/cluster/pod-cidr-cache.ts';
import { makeFolder } from './loopback-cluster.ts';

const NODE = { nodeName: 'n1', podCidrs: [parseCidr('10.1.0.0/24'), parseCidr('fd01::/64')] };

function openCache() {
  const folder = makeFolder();
  onTestFinished(() => folder[Symbol.dispose]());
  const path = join(folder.path, 'net.pod-cidrs.json');
  return { path, folder: folder.path, cache: openPodCidrCache('net', folder.path) };
}

describe('the cache of podCIDRs', () => {
  it('is empty at first', () => expect(openCache().cache.read()).toBeUndefined());

  it('has what was written last', () => {
    const { cache } = openCache();
    cache.write({ nodeName: 'n0', podCidrs: [] });
    cache.write(NODE);
    expect(cache.read()).toEqual(NODE);
  });

  const isEmptyFor = (what: string, text: string) =>
    it(`is empty if its file has ${what}`, () => {
      const { cache, path } = openCache();
      writeFileSync(path, text);
      expect(cache.read()).toBeUndefined();
    });
  isEmptyFor('no text', '');
  isEmptyFor('other text', '{');
  isEmptyFor('no node', '{"podCidrs":[]}');
  isEmptyFor('a podCIDR that is not a range', '{"nodeName":"n1","podCidrs":["10.0.0.5"]}');

  it('does not follow a link', () => {
    const { cache, path, folder } = openCache();
    writeFileSync(join(folder, 'other'), '{"nodeName":"n1","podCidrs":[]}');
    symlinkSync(join(folder, 'other'), path);
    expect(cache.read()).toBeUndefined();
  });

  it('stays as it is if it cannot be written', () => {
    const { cache, path } = openCache();
    mkdirSync(path);
    cache.write(NODE);
    expect(cache.read()).toBeUndefined();
  });
});

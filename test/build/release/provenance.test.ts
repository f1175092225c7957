import { describe, expect, it } from 'vitest';
import { provenanceOf, type Origin } from '../../../build/release/provenance.ts';

const ORIGIN: Origin = {
  version: '1.2.3',
  imageName: 'registry.example/podwire',
  createdAt: '1970-01-01T00:00:00Z',
  source: undefined,
  commit: 'c'.repeat(40),
  hasUncommittedChanges: false,
  builder: 'urn:example:builder',
  lockfiles: [{ name: 'package-lock.json', content: Buffer.from('{}') }],
  components: [
    { name: 'libc6', version: '2', url: 'pkg:deb/debian/libc6@2', checksum: { algorithm: 'SHA256', hex: 'ab' } },
    { name: 'netlink', version: '1', url: 'pkg:npm/netlink@1', checksum: { algorithm: 'SHA512', hex: 'cd' } },
    { name: 'libc6', version: '2', url: 'pkg:deb/debian/libc6@2', checksum: { algorithm: 'SHA256', hex: 'ab' } },
  ],
};
const dependencies = (overrides: Partial<Origin> = {}) =>
  JSON.stringify(Reflect.get(Object(provenanceOf([], { ...ORIGIN, ...overrides })), 'predicate'));

describe('the provenance of a release', () => {
  it('is an in-toto statement about each file', () =>
    expect(provenanceOf([{ name: 'a', content: Buffer.from('') }], ORIGIN)).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
      subject: [{ name: 'a', digest: { sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' } }],
    }));

  it('names the commit, the lockfiles, and what no lockfile pins', () => {
    expect(dependencies()).toContain(`{"digest":{"gitCommit":"${ORIGIN.commit}"}}`);
    expect(dependencies()).toContain('{"name":"package-lock.json","digest":');
    expect(dependencies().match(/pkg:[^"]*/g)).toEqual(['pkg:deb/debian/libc6@2']);
  });

  it('names the repository, if it is known', () =>
    expect(dependencies({ source: 'https://example.com/podwire' })).toContain(
      '{"uri":"git+https://example.com/podwire","digest":',
    ));

  it('says that the sources differ from the commit', () => {
    expect(dependencies({ hasUncommittedChanges: true })).toContain('"annotations":{"uncommittedChanges":true}');
    expect(dependencies()).not.toContain('uncommittedChanges');
  });
});

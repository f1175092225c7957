import { describe, expect, it } from 'vitest';
import { NEWEST_VERSION, SUPPORTED_VERSIONS, isAtLeast, parseCniVersion } from '../../src/cni/versions.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';

describe('parseCniVersion', () => {
  it.each(SUPPORTED_VERSIONS)('%s is supported', (cniVersion) =>
    expect(parseCniVersion({ cniVersion })).toBe(cniVersion),
  );
  it.each([{}, { cniVersion: '' }, { cniVersion: null }])('%j means 0.1.0', (raw) =>
    expect(parseCniVersion(raw)).toBe('0.1.0'),
  );
  it.each(['2.0.0', '1.1', 'v1.0.0', '1.0.0 ', '0.3.2'])('%j is refused with code 1', (cniVersion) =>
    expect(cniFailure(() => parseCniVersion({ cniVersion }))).toMatchObject({
      code: 1,
      message: 'incompatible CNI versions',
      details: `config is "${cniVersion}", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]`,
    }),
  );
  it.each([1, true, [], {}])('%j is refused with code 7', (cniVersion) =>
    expect(cniFailure(() => parseCniVersion({ cniVersion })).code).toBe(7),
  );
});

describe('isAtLeast', () => {
  it('a version is at least itself', () => expect(isAtLeast('0.4.0', '0.4.0')).toBe(true));
  it('0.3.1 is not yet 0.4.0', () => expect(isAtLeast('0.3.1', '0.4.0')).toBe(false));
  it('1.0.0 is later than 0.4.0', () => expect(isAtLeast('1.0.0', '0.4.0')).toBe(true));
  it('the newest one is at least each other', () =>
    expect(SUPPORTED_VERSIONS.every((one) => isAtLeast(NEWEST_VERSION, one))).toBe(true));
});

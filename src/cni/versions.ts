import { CniError, ERROR_CODE } from './error.ts';
import type { JsonObject } from '../json/json.ts';
import { describe, quote } from '../json/quote.ts';

/** The versions of the protocol that are spoken, oldest first. */
export const SUPPORTED_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof SUPPORTED_VERSIONS)[number];

/** What is answered to a request whose own version cannot be read. */
export const NEWEST_VERSION: CniVersion = '1.1.0';

/** True if the version is the minimum or a later one. */
export function isAtLeast(version: CniVersion, minimum: CniVersion): boolean {
  return SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(minimum);
}

/**
 * The `cniVersion` of a configuration or a result. A missing or empty one means 0.1.0, which was the last not to have the key.
 *
 * @throws {CniError} 1 for one that is not supported, 7 for one that is no string
 */
export function parseCniVersion(raw: JsonObject): CniVersion {
  const given = raw['cniVersion'] ?? '';
  if (typeof given !== 'string') {
    throw new CniError(
      ERROR_CODE.invalidConfig,
      `"cniVersion" is ${describe(given)}, where a string such as "1.0.0" is wanted`,
    );
  }
  const version = given === '' ? '0.1.0' : SUPPORTED_VERSIONS.find((supported) => supported === given);
  if (version !== undefined) return version;
  const supported = SUPPORTED_VERSIONS.map((known) => `"${known}"`).join(' ');
  throw new CniError(ERROR_CODE.incompatibleVersion, 'incompatible CNI versions', {
    details: `config is ${quote(given)}, plugin supports [${supported}]`,
  });
}

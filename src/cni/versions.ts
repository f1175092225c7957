import { CniError, ERROR_CODE } from './error.ts';
import type { JsonObject } from '../json/json.ts';
import { describe, quote } from '../json/quote.ts';

/** The supported versions of the protocol, oldest first. */
export const SUPPORTED_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;

export type CniVersion = (typeof SUPPORTED_VERSIONS)[number];

/** The version of a response to a request whose own version cannot be read. */
export const NEWEST_VERSION: CniVersion = '1.1.0';

/** True if the version is `minimum` or later. */
export function isAtLeast(version: CniVersion, minimum: CniVersion): boolean {
  return SUPPORTED_VERSIONS.indexOf(version) >= SUPPORTED_VERSIONS.indexOf(minimum);
}

/**
 * Parses the `cniVersion` of a network configuration. A missing or empty one means 0.1.0, the last version without
 * the key.
 *
 * @throws {CniError} incompatibleVersion (1) for an unsupported version, invalidConfig (7) for a value that is not a
 *   string
 */
export function parseCniVersion(raw: JsonObject): CniVersion {
  const given = raw['cniVersion'] ?? '';
  if (typeof given !== 'string') {
    throw new CniError(
      ERROR_CODE.invalidConfig,
      `"cniVersion" in the network configuration: expected a string such as "1.0.0", got ${describe(given)}`,
    );
  }
  const version = given === '' ? '0.1.0' : SUPPORTED_VERSIONS.find((supported) => supported === given);
  if (version !== undefined) return version;
  const supported = SUPPORTED_VERSIONS.map((known) => `"${known}"`).join(' ');
  throw new CniError(ERROR_CODE.incompatibleVersion, 'incompatible CNI versions', {
    details: `config is ${quote(given)}, plugin supports [${supported}]`,
  });
}

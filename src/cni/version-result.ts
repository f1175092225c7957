import type { JsonObject } from '../json/json.ts';
import { SUPPORTED_VERSIONS } from './versions.ts';

/**
 * Formats the result of VERSION.
 *
 * @param cniVersion the request's version, which the result echoes
 * @see SPEC.md 1.1.0, section 5, VERSION Success
 */
export function formatVersions(cniVersion: string): JsonObject {
  return { cniVersion, supportedVersions: SUPPORTED_VERSIONS };
}

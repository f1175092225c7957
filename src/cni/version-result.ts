import type { JsonObject } from '../json/json.ts';
import { SUPPORTED_VERSIONS } from './versions.ts';

/**
 * The answer to VERSION.
 *
 * @param cniVersion of the request, which is echoed
 * @see SPEC.md 1.1.0, section 5, VERSION Success
 */
export function formatVersions(cniVersion: string): JsonObject {
  return { cniVersion, supportedVersions: SUPPORTED_VERSIONS };
}

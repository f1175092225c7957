/**
 * The date of creation of what is built: the same for two builds.
 *
 * @param sourceDateEpoch seconds since 1970, from the variable of that name (reproducible-builds.org)
 * @returns RFC 3339 without fractions of a second; 1970 by default
 */
export function creationTime(sourceDateEpoch: string | undefined): string {
  return new Date(Number(sourceDateEpoch ?? 0) * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

import { isJsonList, isJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';

/** What replaces a secret. */
export const MASK = '(masked)';

/** Names of members whose value is a secret, as a kubeconfig and a network configuration have them. */
const SECRET_NAME =
  /token$|token[_-]?data|passw|passphrase|secret|credential|authorization|bearer|(private|client|api|access|auth|etcd)[_-]?key([_-]?data)?$/i;

/** A JSON Web Token, a private key, an HTTP authorization, the password of a URL. */
const PATTERNS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, MASK],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----/g, MASK],
  [/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, `$1 ${MASK}`],
  [/([a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:)[^/@\s]+@/gi, `$1${MASK}@`],
  // A line of YAML, or `name=value`.
  [/^(\s*-?\s*["']?[\w-]*(?:token|passw\w*|secret|client-key-data)["']?\s*[:=]\s*)\S.*$/gim, `$1${MASK}`],
];

/** Replaces every secret in a JSON value, by its name or its form. Paths stay: they are not secret. */
export function maskJson(value: JsonValue): JsonValue {
  if (typeof value === 'string') return maskText(value, []);
  if (isJsonList(value)) return value.map(maskJson);
  if (!isJsonObject(value)) return value;
  const masked: JsonObject = Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && isSecret(member) ? MASK : maskJson(member),
    ]),
  );
  return masked;
}

/**
 * Replaces every secret in a text.
 *
 * @param known secrets whose values are known, such as the token of the kubeconfig
 */
export function maskText(text: string, known: readonly string[]): string {
  const withoutKnown = known.reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
  return PATTERNS.reduce((masked, [pattern, replacement]) => masked.replaceAll(pattern, replacement), withoutKnown);
}

/** The secrets of a JSON value. Short ones are left out: they would replace ordinary words. */
export function secretsIn(value: JsonValue): readonly string[] {
  if (isJsonList(value)) return value.flatMap(secretsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const isNamed =
      SECRET_NAME.test(name) && typeof member === 'string' && isSecret(member) && member.length >= MIN_SECRET_LENGTH;
    return isNamed ? [member] : secretsIn(member);
  });
}

const MIN_SECRET_LENGTH = 8;

function isSecret(value: JsonValue): boolean {
  return typeof value === 'string' ? value !== '' && !value.startsWith('/') : isJsonList(value) || isJsonObject(value);
}

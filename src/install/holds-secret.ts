import { isJsonList, isJsonObject, type JsonValue } from '../json/json.ts';

/**
 * Whether a network configuration, of any plugin in it, contains what only root may read: a token, a password or a private
 * key. A path is not a secret. A wrong "yes" does no harm, because runtimes run as root.
 */
export function holdsSecret(value: JsonValue): boolean {
  if (typeof value === 'string') return SECRET_VALUE.test(value);
  if (isJsonList(value)) return value.some(holdsSecret);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(
    ([name, member]) => (SECRET_NAME.test(name) && isLiteral(member)) || holdsSecret(member),
  );
}

/** k8s_auth_token, k8s_client_key, client-key-data, etcd_password, authorization */
const SECRET_NAME =
  /token|passw|passphrase|secret|credential|authorization|bearer|(private|client|api|access|auth|etcd)[_-]?key/i;

/** A JSON Web Token, a private key in PEM, an HTTP authorization, a URL with a password. */
const SECRET_VALUE =
  /\beyJ[\w-]+\.[\w-]+\.|-----BEGIN [A-Z ]*PRIVATE KEY|^(Bearer|Basic) \S|^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/@]+@/i;

function isLiteral(value: JsonValue): boolean {
  return typeof value === 'string'
    ? value !== '' && !value.startsWith('/')
    : isJsonList(value) && value.some(isLiteral);
}

/**
 * Text that must not be seen, and where it came from. A function returns the text, so that printing an object that
 * contains the secret (as JSON, in a console, as the `cause` of an error) does not print it.
 */
export interface Secret {
  readonly reveal: () => string;
  /** `the token file /path`, `user "podwire" in the kubeconfig /path`. */
  readonly source: string;
}

/** The claims of a JWT. They are not verified: they are only for messages. */
export interface TokenClaims {
  readonly account: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** Makes a secret. */
export function makeSecret(text: string, source: string): Secret {
  return { reveal: () => text, source };
}

/** Reads the claims of a service account's token. They are undefined for a token of another kind. */
export function readTokenClaims(token: Secret): TokenClaims {
  const nothing = { account: undefined, expiresAt: undefined };
  const [, payload = ''] = token.reveal().split('.');
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return nothing;
  }
  if (typeof claims !== 'object' || claims === null) return nothing;
  const expiry = 'exp' in claims && typeof claims.exp === 'number' ? new Date(claims.exp * 1000) : undefined;
  const account = 'sub' in claims && typeof claims.sub === 'string' ? claims.sub.slice(0, 256) : undefined;
  return { account, expiresAt: expiry === undefined || Number.isNaN(expiry.getTime()) ? undefined : expiry };
}

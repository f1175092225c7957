/**
 * Text that must not be seen, and where it came from. The text stands behind a function, so that printing an object that
 * holds it (JSON, console, an error's `cause`) does not print it.
 */
export interface Secret {
  readonly reveal: () => string;
  /** `the token file /path`, `user "podwire" in the kubeconfig /path`. */
  readonly source: string;
}

/** What a JWT says about itself. Nothing of it is verified: it is for messages. */
export interface TokenClaims {
  readonly account: string | undefined;
  readonly expiresAt: Date | undefined;
}

export function makeSecret(text: string, source: string): Secret {
  return { reveal: () => text, source };
}

/** The claims of a service account's token; nothing for a token of another kind. */
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

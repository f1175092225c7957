import type { ApiConnection } from '../cluster/credentials/connection.ts';
import { makeSecret, type Secret } from '../cluster/credentials/secret.ts';

/**
 * A kubeconfig with one context, as JSON, which is YAML that loads faster. It is a secret, because it contains the
 * token.
 */
export function formatKubeconfig({ server, tls }: ApiConnection, token: Secret): Secret {
  const authority = tls?.certificateAuthority?.text;
  const cluster = {
    server: server.text,
    ...(tls?.serverName !== undefined && { 'tls-server-name': tls.serverName }),
    ...(tls?.verification === 'off' && { 'insecure-skip-tls-verify': true }),
    ...(authority !== undefined && { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster }],
    users: [{ name: NAME, user: { token: token.reveal() } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME } }],
    'current-context': NAME,
  };
  return makeSecret(`${JSON.stringify(config, undefined, 2)}\n`, 'the kubeconfig of the plugin');
}

const NAME = 'podwire';

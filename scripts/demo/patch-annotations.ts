import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { ApiConnection } from '../../src/cluster/credentials/connection.ts';

/**
 * Sets annotations of a Pod. `null` removes an annotation, which podwire itself never does.
 *
 * @throws {Error} if the API server does not respond with 200 within 20 s
 */
export async function patchAnnotations(
  connection: ApiConnection,
  pod: { readonly namespace: string; readonly name: string },
  metadata: { readonly uid: string; readonly annotations: Readonly<Record<string, string | null>> },
): Promise<void> {
  const { server, token } = connection;
  const path = `${server.basePath}/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/status`;
  const headers = {
    'content-type': 'application/merge-patch+json',
    ...(token && { authorization: `Bearer ${token.reveal()}` }),
  };
  const options = { host: server.host, port: server.port, path, method: 'PATCH', headers, timeout: 20_000 };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const outgoing = server.isEncrypted
    ? httpsRequest({ ...options, agent: agentFor(connection) })
    : httpRequest(options);
  outgoing.on('response', (response) => {
    response.resume();
    if (response.statusCode === 200) resolve();
    else
      reject(new Error(`${server.text} returned ${response.statusCode} for PATCH of pod ${pod.namespace}/${pod.name}`));
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error(`${server.text} did not respond within 20 s`)));
  outgoing.on('error', reject);
  outgoing.end(JSON.stringify({ metadata }));
  await promise;
}

function agentFor({ server, tls }: ApiConnection): Agent {
  const verifiedName = tls?.serverName ?? server.host;
  const { certificateAuthority, clientCertificate } = tls ?? {};
  return new Agent({
    rejectUnauthorized: tls?.verification !== 'off',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(verifiedName, certificate),
    ...(isIP(verifiedName) === 0 && { servername: verifiedName }),
    ...(certificateAuthority && { ca: certificateAuthority.text }),
    ...(clientCertificate && { cert: clientCertificate.certificate.text, key: clientCertificate.key.reveal() }),
  });
}

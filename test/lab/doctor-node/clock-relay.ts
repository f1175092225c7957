import { createServer, request as httpsRequest } from 'node:https';
import { isJsonObject } from '../../../src/json/json.ts';
import type { Cluster } from '../api-server/kube-apiserver.ts';
import { makeCertificateAuthority } from '../certificates/certificate-authority.ts';
import { member, memberText } from '../member.ts';
import { listenOnLoopback } from './listen.ts';

/** A server in front of the API server, whose clock differs from that of the node. */
export interface ClockRelay extends AsyncDisposable {
  /** A kubeconfig for the API server, changed to one for the relay. */
  rewrite(kubeconfig: string): string;
}

/** @param aheadMs how far the clock of the relay is ahead */
export async function startClockRelay(
  { server: target, certificateAuthorityPem }: Cluster,
  aheadMs: () => number,
): Promise<ClockRelay> {
  const authority = makeCertificateAuthority('relay');
  const { certificatePem, keyPem } = authority.issue({ commonName: 'relay', subjectAlternativeNames: ['127.0.0.1'] });
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    const { method, url, headers } = request;
    const options = { method, headers, ca: certificateAuthorityPem };
    const outgoing = httpsRequest(new URL(url ?? '/', target), options, (answer) => {
      const date = new Date(Date.now() + aheadMs()).toUTCString();
      response.writeHead(answer.statusCode ?? 500, { ...answer.headers, date });
      answer.pipe(response);
    });
    request.pipe(outgoing);
  });
  const port = await listenOnLoopback(server);
  const data = Buffer.from(authority.certificatePem).toString('base64');
  return {
    rewrite(kubeconfig) {
      const clusters: unknown = member(JSON.parse(kubeconfig), 'clusters');
      const cluster: unknown = Array.isArray(clusters) ? clusters[0] : undefined;
      const old = isJsonObject(cluster) ? memberText(cluster, 'cluster', 'certificate-authority-data') : '';
      return kubeconfig.replace(target, `https://127.0.0.1:${port}`).replace(old, data);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { member } from '../../lab/member.ts';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';

/** An API server that issues tokens of any lifetime. A real one issues none for less than ten minutes. */
export interface TokenServer extends AsyncDisposable {
  readonly url: string;
  readonly certificateAuthorityPem: string;
  /** The requests that it has received. */
  readonly orders: readonly unknown[];
  /** The tokens that it has issued, in order, without those for ten minutes: these are requested as a test, and discarded. */
  readonly issued: readonly string[];
  /** Responds with 503 to every request from now on, or stops doing so. */
  setAway(isAway: boolean): void;
  /** The number of requests that it has answered with 503. */
  readonly refusals: () => number;
}

export async function startTokenServer(lifeMs: number): Promise<TokenServer> {
  const authority = makeCertificateAuthority('token server');
  const { certificatePem, keyPem } = authority.issue({ commonName: 'server', subjectAlternativeNames: ['127.0.0.1'] });
  const issued: string[] = [];
  const orders: unknown[] = [];
  let isAway = false;
  let refusals = 0;
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.setHeader('Content-Type', 'application/json');
    if (isAway) {
      refusals++;
      response.writeHead(503).end('{}');
      return;
    }
    if (request.method !== 'POST') {
      response.end(JSON.stringify({ metadata: { name: 'node-1', uid: 'uid-1' }, spec: {} }));
      return;
    }
    request.on('end', () => {
      const order: unknown = JSON.parse(body);
      orders.push(order);
      if (member(order, 'spec', 'expirationSeconds') === 600) respond(response, 'discarded');
      else {
        issued.push(`token-${issued.length + 1}`);
        respond(response, issued.at(-1) ?? '');
      }
    });
  });
  const respond = (response: ServerResponse, token: string) => {
    // The Date header has whole seconds, and the lifetime is counted from there.
    response.sendDate = false;
    response.setHeader('Date', new Date(0).toUTCString());
    const status = { token, expirationTimestamp: new Date(lifeMs).toISOString() };
    response.writeHead(201).end(JSON.stringify({ status }));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    certificateAuthorityPem: authority.certificatePem,
    issued,
    orders,
    setAway: (next) => void (isAway = next),
    refusals: () => refusals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

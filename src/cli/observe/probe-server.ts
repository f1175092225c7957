import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { ApiConnection } from '../../cluster/credentials/connection.ts';
import type { ProbeFacts } from '../../diagnosis/api-facts.ts';

const NOTHING: ProbeFacts = {
  clockAheadMs: undefined,
  certificate: undefined,
  tlsVersion: undefined,
  elapsedMs: undefined,
};

/**
 * Asks the API server for its time and its certificate, also if it is not trusted: it sends no credentials, and nothing
 * that it answers is used for anything but a report.
 */
export function probeServer({ server, tls }: ApiConnection, timeoutMs: number): Promise<ProbeFacts> {
  const begunMs = Date.now();
  const options = {
    host: server.host,
    port: server.port,
    path: `${server.basePath}/version`,
    agent: false,
    timeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
    rejectUnauthorized: false,
    ...(tls?.serverName !== undefined && { servername: tls.serverName }),
  } as const;
  return new Promise((resolve) => {
    let seen = NOTHING;
    const answered = (response: IncomingMessage) => {
      const endedMs = Date.now();
      const serverMs = Date.parse(response.headers.date ?? '');
      // The server writes whole seconds, and the response took some time.
      const localMs = (begunMs + endedMs) / 2 - 500;
      seen = {
        ...seen,
        elapsedMs: endedMs - begunMs,
        ...(!Number.isNaN(serverMs) && { clockAheadMs: Math.round(localMs - serverMs) }),
      };
      response.resume();
      request.destroy();
    };
    const request = server.isEncrypted ? httpsRequest(options, answered) : httpRequest(options, answered);
    request.on('socket', (socket) => {
      if (!(socket instanceof TLSSocket)) return;
      socket.once('secureConnect', () => (seen = { ...seen, ...describeTls(socket) }));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => undefined);
    request.on('close', () => resolve(seen));
    request.end();
  });
}

function describeTls(socket: TLSSocket): Pick<ProbeFacts, 'certificate' | 'tlsVersion'> {
  const { issuer, valid_from: from, valid_to: to } = socket.getPeerCertificate();
  const [validFromMs, validToMs] = [Date.parse(from), Date.parse(to)];
  const issuerName = [issuer.CN ?? issuer.O ?? 'unknown'].flat().join(' ');
  return {
    tlsVersion: (socket.getProtocol() ?? '').replace('TLSv', 'TLS ') || undefined,
    certificate: Number.isNaN(validToMs) ? undefined : { issuer: issuerName, validFromMs, validToMs },
  };
}

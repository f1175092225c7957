import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Log } from '../log/log.ts';
import type { Metrics, NetworkGauges } from '../metrics/metrics.ts';
import { endOfOperations, readOperations, type Position } from '../operations/follow-operations.ts';
import { messageOf } from '../system/error-text.ts';
import { readText, replaceFile, writeTemporaryFile } from '../system/files.ts';
import type { MetricsSettings } from './settings.ts';

/** What publishing metrics needs. */
export interface PublishOptions {
  readonly settings: MetricsSettings;
  readonly metrics: Metrics;
  readonly mediaType: string;
  /** The folder of podwire's state, as this process sees it. */
  readonly stateFolder: string;
  readonly observeNetworks: () => Promise<readonly NetworkGauges[]>;
  readonly log: Log;
}

/** How often the file for node_exporter is written, and what has been recorded is read at the least. */
const INTERVAL_MS = 15_000;

/**
 * Serves metrics over HTTP, and writes them to a file, each if it is configured, until it is disposed of. It never fails: what
 * it cannot do is a warning, and is tried again.
 */
export function publishMetrics({
  settings: { address, textfilePath },
  metrics,
  mediaType,
  stateFolder,
  observeNetworks,
  log,
}: PublishOptions): AsyncDisposable {
  const operations = openOperationsReader(stateFolder, log);
  const warned = new Set<string>();
  const warnOnce = (message: string): void => {
    if (!warned.has(message)) log.warning(message);
    warned.add(message);
  };
  const format = async (): Promise<string> => {
    metrics.countOperations(operations.read());
    metrics.setNetworks(await observeNetworks());
    return metrics.format();
  };
  let server: Server | undefined;
  const listen = (): void => {
    if (address === undefined || server !== undefined) return;
    server = serve(format, mediaType, warnOnce);
    server.on('error', (error) => {
      server = undefined; // tried again after the interval
      warnOnce(`cannot serve metrics on ${address.host}:${address.port}: ${messageOf(error)}; see METRICS_ADDRESS`);
    });
    server.on('listening', () => log.info(`metrics are served on http://${address.host}:${address.port}/metrics`));
    server.listen(address);
  };
  const writeTextfile = async (): Promise<void> => {
    if (textfilePath === undefined) return;
    try {
      // node_exporter runs as another user, and reads only files that end in .prom.
      using file = writeTemporaryFile(textfilePath, await format(), { mode: 0o644 });
      file.replace();
    } catch (error) {
      warnOnce(`cannot write the metrics to ${textfilePath}: ${messageOf(error)}; see METRICS_TEXTFILE`);
    }
  };
  let writing = writeTextfile();
  listen();
  const timer = setInterval(() => {
    listen();
    if (textfilePath === undefined) metrics.countOperations(operations.read());
    else writing = writing.then(writeTextfile);
  }, INTERVAL_MS);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      server?.closeAllConnections();
      server?.close();
      await writing;
    },
  };
}

function serve(format: () => Promise<string>, mediaType: string, warn: (message: string) => void): Server {
  return createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('the metrics are at /metrics\n');
      return;
    }
    format().then(
      (text) => response.writeHead(200, { 'Content-Type': mediaType }).end(text),
      (error: unknown) => {
        warn(`cannot collect the metrics: ${messageOf(error)}`);
        response.writeHead(500, { 'Content-Type': 'text/plain' }).end('see the log of podwire\n');
      },
    );
  });
}

/**
 * Reads what has been recorded since the last time. The position is kept in a file: a container that starts again counts from 0
 * and continues there, which Prometheus sees as a restart and loses nothing.
 */
function openOperationsReader(stateFolder: string, log: Log) {
  const path = join(stateFolder, 'operations.log');
  const positionPath = join(stateFolder, 'metrics', 'position');
  // Without a position, what is there may have been counted before.
  let position = parsePosition(readText(positionPath)) ?? endOfOperations(path);
  let isKept = true;
  return {
    read() {
      const since = readOperations(path, position);
      position = since.position;
      if (since.operations.length === 0 || position === undefined || !isKept) return since.operations;
      try {
        replaceFile(positionPath, JSON.stringify(position));
      } catch (error) {
        isKept = false;
        log.info(
          `the metrics count from the start of this process, because ${positionPath} cannot be written: ${messageOf(error)}`,
        );
      }
      return since.operations;
    },
  };
}

function parsePosition(text: string | undefined): Position | undefined {
  try {
    const parsed: unknown = JSON.parse(text ?? '');
    if (typeof parsed !== 'object' || parsed === null || !('inode' in parsed) || !('offset' in parsed))
      return undefined;
    const { inode, offset } = parsed;
    return typeof inode === 'number' && typeof offset === 'number' ? { inode, offset } : undefined;
  } catch {
    return undefined; // missing, or damaged
  }
}

import type { ApiConnection } from '../cluster/credentials/connection.ts';
import type { IssuedToken } from '../cluster/token-issuer.ts';
import { messageOf } from '../system/error-text.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';
import { applyOperations, type ApplyIo } from './apply-operations.ts';
import { openFolderWatch, type FolderWatch } from './folder-watch.ts';
import { formatExplainedError, isExplained } from './install-error.ts';
import { formatKubeconfig } from './kubeconfig-text.ts';
import { nodeNameOf, readTemplate, renderForNode } from './node-config.ts';
import { observeFiles, requireReadable } from './observe-node.ts';
import { planFiles, removeAbandoned } from './plan-install.ts';
import { renewAfterMs, retryAfterMs } from './plan-renewal.ts';
import { writeRenewalRecord } from './renewal-record.ts';
import { ACCOUNT_FOLDER, isRejected, issuePluginToken, readOwnConnection, type ApiIo } from './service-account.ts';
import type { InstallSettings } from './settings.ts';

/** The token that is on the node. */
interface CurrentToken {
  readonly issued: IssuedToken;
  /** On the clock of `monotonicMs()`, which changes of the wall clock do not affect. */
  readonly renewAtMs: number;
}

/** Is told what becomes of the token. */
export interface TokenEvents {
  /** A new token is on the node. */
  renewed(issued: IssuedToken): void;
  /** The token that is on the node is usable. */
  checked(): void;
  /** The token could not be checked or renewed. It is tried again. */
  failed(): void;
}

/**
 * Keeps the kubeconfig on the node usable until the signal: requests a new token before the old one expires, when the
 * API server rejects it, and when the certificate authority or the installer's own account changes. After a failure it
 * tries again, at growing intervals.
 */
export async function watchToken(
  settings: InstallSettings,
  everySeconds: number,
  io: ApiIo & ApplyIo,
  events?: TokenEvents,
): Promise<void> {
  await requireReadable(settings.layout.here.configs);
  using account = openFolderWatch(ACCOUNT_FOLDER);
  const stopped = abortOf(io.signal);
  let current: CurrentToken | undefined;
  const record = makeRecord(io);
  const isStopped = () => io.signal.aborted;
  for (let failures = 0; !isStopped();) {
    let waitMs: number;
    try {
      const previous = current;
      current = await refresh(settings, current, io);
      if (current !== previous) events?.renewed(current.issued);
      events?.checked();
      failures = 0;
      record.succeeded();
      waitMs = Math.min(everySeconds * 1000, current.renewAtMs - monotonicMs());
    } catch (error) {
      if (isStopped()) break;
      if (!isExplained(error)) throw error;
      events?.failed();
      waitMs = retryAfterMs(++failures, Math.random());
      record.failed(formatExplainedError(error));
      io.log.warning(`${formatExplainedError(error)}; trying again in ${Math.ceil(waitMs / 1000)} s`);
    }
    await waitForFirst(account, waitMs, stopped);
  }
  io.log.info('stopping: the node keeps its current token');
}

/** Records each attempt for the probes. A record that cannot be written makes the probes fail and nothing else. */
function makeRecord({ log }: Pick<ApiIo, 'log'>) {
  let succeededAtMs: number | undefined;
  let hasWarned = false;
  const write = (failure: string | undefined) => {
    try {
      writeRenewalRecord({ succeededAtMs, failure });
    } catch (error) {
      if (!hasWarned) log.warning(`"podwire install --check-renewal" will fail: ${messageOf(error)}`);
      hasWarned = true;
    }
  };
  return {
    succeeded: () => {
      succeededAtMs = monotonicMs();
      write(undefined);
    },
    failed: write,
  };
}

/**
 * Requests a token if one is due, and writes the files on the node that are not up to date. If none is due it requests one all the same, and
 * discards it: only this shows that the permissions, the account and the admission policies still allow it.
 */
async function refresh(
  settings: InstallSettings,
  previous: CurrentToken | undefined,
  io: ApiIo & ApplyIo,
): Promise<CurrentToken> {
  const { layout, configName, kubeconfigName } = settings;
  const why = previous === undefined ? 'it is the first one' : await reasonToRenew(previous, io);
  const nodeName = nodeNameOf(settings);
  const isDue = previous === undefined || why !== undefined;
  let current = previous;
  if (current === undefined || isDue) {
    const issued = await issuePluginToken(settings, nodeName, io);
    current = { issued, renewAtMs: monotonicMs() + renewAfterMs(issued.lifeMs, Math.random()) };
    io.log.info(`requested a new token for ${settings.account}: ${why}`);
  }
  const { token, connection } = current.issued;
  const config = await configWithToken(settings, nodeName, token.reveal());
  const files = await observeFiles(layout.here.configs, [kubeconfigName, configName]);
  const kubeconfig = formatKubeconfig(connection, token);
  const operations = planFiles({ layout, configName, kubeconfigName, kubeconfig, config, files });
  // A container that was killed while it wrote may have left a file with a token.
  const cleanUp = removeAbandoned(layout, 'configs');
  await applyOperations([cleanUp, ...operations.filter(({ kind }) => kind !== 'keep')], io);
  if (!isDue) await issuePluginToken(settings, nodeName, io, REHEARSAL_LIFE_SECONDS);
  return current;
}

// The shortest that an API server issues.
const REHEARSAL_LIFE_SECONDS = 600;

async function reasonToRenew({ issued, renewAtMs }: CurrentToken, io: ApiIo): Promise<string | undefined> {
  if (monotonicMs() >= renewAtMs) return 'the old one expires soon';
  if (await hasChangedConnection(issued, io)) return "the API server's address or certificate authority has changed";
  return (await isRejected(issued, io)) ? 'the API server rejects the old one (401)' : undefined;
}

async function hasChangedConnection({ connection }: IssuedToken, { environment }: ApiIo): Promise<boolean> {
  const now = await readOwnConnection(environment);
  const authorityOf = ({ tls }: ApiConnection) => tls?.certificateAuthority?.text;
  return now.server.text !== connection.server.text || authorityOf(now) !== authorityOf(connection);
}

// Without a token in it, only the init container writes the network configuration: writing it again could undo an
// administrator's change.
async function configWithToken(settings: InstallSettings, nodeName: string, token: string) {
  const { path, text } = settings.template;
  if (path === undefined && text === undefined) return undefined;
  const config = renderForNode(settings, await readTemplate(settings), { nodeName, token });
  return config.holdsToken ? config : undefined;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Waits until the account's files change, the time is over, or the process receives a signal to terminate. */
async function waitForFirst(account: FolderWatch, waitMs: number, stopped: Promise<void>): Promise<void> {
  const { promise: timeOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, waitMs));
  await Promise.race([timeOver, account.change(), stopped]);
  clearTimeout(timer);
}

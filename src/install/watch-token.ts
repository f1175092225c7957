import type { ApiConnection } from '../cluster/credentials/connection.ts';
import type { IssuedToken } from '../cluster/token-issuer.ts';
import { CniError } from '../cni/error.ts';
import { monotonicMs } from '../system/monotonic-clock.ts';
import { applyOperations } from './apply-operations.ts';
import { openFolderWatch, type FolderWatch } from './folder-watch.ts';
import { formatKubeconfig } from './kubeconfig-text.ts';
import { nodeNameOf, readTemplate, renderForNode } from './node-config.ts';
import { observeFiles, readNames } from './observe-node.ts';
import { removeLeftovers } from './operation.ts';
import { planFiles } from './plan-install.ts';
import { renewAfterMs, retryAfterMs } from './plan-renewal.ts';
import { describeFailure } from './run-with-log.ts';
import { ACCOUNT_FOLDER, isRefused, issuePluginToken, readOwnConnection, type ApiIo } from './service-account.ts';
import type { InstallSettings } from './settings.ts';
import { findAbandoned } from './temporary-file.ts';

/** The token that stands on the node. */
interface Held {
  readonly issued: IssuedToken;
  /** On the clock of `monotonicMs()`, which no change of the wall clock moves. */
  readonly renewAtMs: number;
}

/**
 * Keeps the kubeconfig on the node usable until the signal: a new token before the old one ends, when it is refused, and
 * when the certificate authority or our own account changes. An API server that is away is asked again, less and less often.
 */
export async function watchToken(settings: InstallSettings, everySeconds: number, io: ApiIo): Promise<void> {
  await readNames(settings.layout.here.configs);
  using account = openFolderWatch(ACCOUNT_FOLDER);
  const stopped = abortOf(io.signal);
  let held: Held | undefined;
  const isStopped = () => io.signal.aborted;
  for (let failures = 0; !isStopped();) {
    let waitMs: number;
    try {
      held = await refresh(settings, held, io);
      failures = 0;
      waitMs = Math.min(everySeconds * 1000, held.renewAtMs - monotonicMs());
    } catch (error) {
      if (isStopped()) break;
      if (!(error instanceof CniError)) throw error;
      waitMs = retryAfterMs(++failures, Math.random());
      io.log.warning(`${describeFailure(error)}; trying again in ${Math.ceil(waitMs / 1000)} s`);
    }
    await firstOf(account, waitMs, stopped);
  }
  io.log.info('told to stop: the node keeps the token that it has');
}

/** Looks once: issues a token if one is due, and writes what on the node is not as it is to be. */
async function refresh(settings: InstallSettings, held: Held | undefined, io: ApiIo): Promise<Held> {
  const { layout, configName, kubeconfigName } = settings;
  const why = held === undefined ? 'this is the first' : await reasonToRenew(held, io);
  const nodeName = nodeNameOf(settings);
  let current = held;
  if (current === undefined || why !== undefined) {
    const issued = await issuePluginToken(settings, nodeName, io);
    current = { issued, renewAtMs: monotonicMs() + renewAfterMs(issued.lifeMs, Math.random()) };
    io.log.info(`a new token for ${settings.account}: ${why}`);
  }
  const { token, connection } = current.issued;
  const config = await configWithToken(settings, nodeName, token.reveal());
  const files = await observeFiles(layout.here.configs, [kubeconfigName, configName]);
  const kubeconfig = formatKubeconfig(connection, token);
  const operations = planFiles({ layout, configName, kubeconfigName, kubeconfig, config, files });
  // Of a container before this one, killed as it wrote: a token is in there.
  const leftovers = await findAbandoned(layout.here.configs);
  await applyOperations([...removeLeftovers(leftovers), ...operations.filter(({ kind }) => kind !== 'keep')], io.log);
  return current;
}

async function reasonToRenew({ issued, renewAtMs }: Held, io: ApiIo): Promise<string | undefined> {
  if (monotonicMs() >= renewAtMs) return 'the old one is near its end';
  if (await hasChangedConnection(issued, io)) return "the API server's address or certificate authority has changed";
  return (await isRefused(issued, io)) ? 'the API server refuses the old one (401)' : undefined;
}

async function hasChangedConnection({ connection }: IssuedToken, { environment }: ApiIo): Promise<boolean> {
  const now = await readOwnConnection(environment);
  const authorityOf = ({ tls }: ApiConnection) => tls?.certificateAuthority?.text;
  return now.server.text !== connection.server.text || authorityOf(now) !== authorityOf(connection);
}

// One that holds no token is the init container's alone: to write it again could undo what an administrator does.
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

/** Until the account's files change, the time is over, or the process is told to end. */
async function firstOf(account: FolderWatch, waitMs: number, stopped: Promise<void>): Promise<void> {
  const { promise: timeOver, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, waitMs));
  await Promise.race([timeOver, account.change(), stopped]);
  clearTimeout(timer);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NO_CONNECTION_SETTINGS } from '../cluster/credentials/connection-settings.ts';
import type { ApiClientOptions } from '../cluster/api-client.ts';
import { readConnection, type ApiConnection } from '../cluster/credentials/connection.ts';
import { startDeadline } from '../cluster/wire/deadline.ts';
import { isTokenRefused } from '../cluster/token-check.ts';
import { openTokenIssuer, type IssuedToken } from '../cluster/token-issuer.ts';
import type { Environment } from '../cni/environment.ts';
import type { Log } from '../log/log.ts';
import { connectionEnvironment, type InstallSettings } from './settings.ts';

/** Where a pod finds the credentials of its account; the kubelet keeps the files up to date. */
export const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What requests to the API server need. */
export interface ApiIo {
  readonly environment: Environment;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Requests a token of the plugin's account, bound to this node, with the credentials of the installer's own account.
 *
 * @throws {CniError} if the request fails or is rejected
 */
export async function issuePluginToken(
  { account, namespace }: Pick<InstallSettings, 'account' | 'namespace'>,
  nodeName: string,
  io: ApiIo,
  lifeSeconds = LIFE_SECONDS,
): Promise<IssuedToken> {
  using issuer = openTokenIssuer(installerApi(io));
  const request = { namespace: namespace ?? (await ownNamespace()), account, nodeName, lifeSeconds };
  using deadline = startDeadline(TOTAL_MS, io.signal);
  return await issuer.issue(request, deadline);
}

/**
 * Whether the API server rejects a token.
 *
 * @throws {CniError} if the request fails for another reason
 */
export async function isRejected({ token, connection }: IssuedToken, { log, signal }: ApiIo): Promise<boolean> {
  const connect = () => ({ ...connection, token });
  using deadline = startDeadline(TOTAL_MS, signal);
  return await isTokenRefused({ connect, budgets: BUDGETS, log }, deadline);
}

/** The API server, for requests of the installer's own account. */
export function installerApi({ environment, log }: ApiIo): ApiClientOptions {
  return { connect: () => readOwnConnection(environment), budgets: BUDGETS, log };
}

/**
 * The connection to the API server with the installer's own account, read from the current files.
 *
 * @throws {CniError} if the environment or a file is invalid
 */
export function readOwnConnection(environment: Environment): Promise<ApiConnection> {
  return readConnection(NO_CONNECTION_SETTINGS, connectionEnvironment(environment));
}

async function ownNamespace(): Promise<string> {
  const text = await readFile(join(ACCOUNT_FOLDER, 'namespace'), 'utf8').catch(() => '');
  return text.trim() || 'kube-system';
}

// A day: long enough to survive a night without the API server, short enough to limit the use of a stolen token.
const LIFE_SECONDS = 24 * 60 * 60;
// More generous than the plugin's budgets, because no pod waits.
const BUDGETS = { apiConnectMs: 5000, apiRequestMs: 10_000 };
const TOTAL_MS = 30_000;

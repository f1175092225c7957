import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { messageOf } from '../system/error-text.ts';
import { CommandError } from './cli-io.ts';

/** The Kubernetes API with the credentials of the person who runs a command, exec plugins included. */
export interface PersonApi {
  readonly server: string;
  /**
   * Reads all objects of a list, in pages.
   *
   * @param path `/api/v1/pods`
   * @throws {CommandError} naming the server and what it answered
   */
  list(path: string): Promise<readonly unknown[]>;
  /**
   * Reads one object.
   *
   * @returns undefined if it does not exist
   * @throws {CommandError} naming the server and what it answered
   */
  read(path: string): Promise<unknown>;
}

/** Which kubeconfig and context to use. */
export interface PersonCredentials {
  /** `undefined`: KUBECONFIG, ~/.kube/config, or the pod's own account, as kubectl does. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly timeoutMs: number;
}

const PAGE = 500;

/**
 * Opens the API. The library of the Kubernetes project reads the kubeconfig, runs login plugins and renews what they
 * return.
 *
 * @throws {CommandError} if there is no kubeconfig that can be used
 */
export async function openPersonApi({ kubeconfig, context, timeoutMs }: PersonCredentials): Promise<PersonApi> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node/dist/config.js');
  const config = new Config();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
    if (context !== undefined) config.setCurrentContext(context);
  } catch (error) {
    throw new CommandError(`the kubeconfig ${kubeconfig ?? 'of kubectl'} cannot be used: ${messageOf(error)}`);
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) {
    throw new CommandError(
      `there is no cluster in the kubeconfig ${kubeconfig ?? 'of kubectl'}: use --kubeconfig FILE or --context NAME`,
    );
  }
  return {
    server,
    read: (path) => get(config, new URL(`${server.replace(/\/$/, '')}${path}`), timeoutMs),
    async list(path) {
      const items: unknown[] = [];
      let next = '';
      do {
        const query = `limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
        const answer = await get(config, new URL(`${server.replace(/\/$/, '')}${path}?${query}`), timeoutMs);
        const page: unknown = member(answer, 'items');
        if (isList(page)) items.push(...page);
        const token = member(member(answer, 'metadata'), 'continue');
        next = typeof token === 'string' ? token : '';
      } while (next !== '');
      return items;
    },
  };
}

async function get(config: KubeConfig, url: URL, timeoutMs: number): Promise<unknown> {
  const options: RequestOptions = { headers: { Accept: 'application/json' }, timeout: timeoutMs };
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new CommandError(`no credentials for ${url.host}: ${messageOf(error)}`);
  }
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new CommandError(`${url.origin} ${why}`));
    const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
    const request = send(url, { ...options, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', (error) => fail(messageOf(error)));
      response.on('end', () => {
        const value = parse(text);
        if (response.statusCode === 200 && value !== undefined) resolve(value);
        else if (response.statusCode === 404) resolve(undefined);
        else
          fail(
            `refused to read ${url.pathname} (${response.statusCode}): ${JSON.stringify(member(value, 'message') ?? 'no reason')}`,
          );
      });
    });
    request.on('error', (error) => fail(`cannot be reached: ${messageOf(error)}`));
    request.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

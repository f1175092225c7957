/** The URL of the API server. */
export interface ServerUrl {
  /** The URL in canonical form, without a slash at its end. It has no secrets: a URL with a password is rejected. */
  readonly text: string;
  readonly isEncrypted: boolean;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The value of the Host header: IPv6 in brackets, and the port unless it is the default of the scheme. */
  readonly authority: string;
  /** The path before `/api`: empty, or `/k8s/clusters/c-1`. */
  readonly basePath: string;
}

/** The error for text that is not the URL of an API server. `message` continues a sentence about the setting. */
export class ServerUrlError extends Error {
  override readonly name = 'ServerUrlError';
}

/**
 * Parses `https://10.0.0.1:6443` or `http://127.0.0.1:8001/base`, and also `https://[10.0.0.1]:6443`, which Calico's
 * installer writes.
 *
 * @throws {ServerUrlError} which never quotes the URL, because it may contain a password
 */
export function parseServerUrl(text: string): ServerUrl {
  if (!/^https?:\/\//i.test(text)) throw new ServerUrlError('begins with neither https:// nor http://');
  const plain = text.replace(/^(https?:\/\/)\[([\w.-]+)\]/i, '$1$2');
  if (!URL.canParse(plain)) throw new ServerUrlError('is not a URL');
  const url = new URL(plain);
  if (url.username !== '' || url.password !== '') {
    throw new ServerUrlError('has a user or password, which podwire does not send');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ServerUrlError('has a part after "?" or "#", which an API server does not use');
  }
  const isEncrypted = url.protocol === 'https:';
  const basePath = url.pathname.replace(/\/+$/, '');
  return {
    text: `${url.protocol}//${url.host}${basePath}`,
    isEncrypted,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (isEncrypted ? 443 : 80) : Number(url.port),
    authority: url.host,
    basePath,
  };
}

/** True if the server is on this machine, so that nothing crosses a network. */
export function isLoopback({ host }: ServerUrl): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

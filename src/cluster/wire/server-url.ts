/** Where the API server is. */
export interface ServerUrl {
  /** As a person would write it, without a slash at its end. Has no secrets: a URL with a password is refused. */
  readonly text: string;
  readonly isEncrypted: boolean;
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** What the Host header says: IPv6 in brackets, the port unless it is the scheme's own. */
  readonly authority: string;
  /** Before `/api`: empty, or `/k8s/clusters/c-1`. */
  readonly basePath: string;
}

/** A URL that is none of an API server. `message` continues a sentence about the field. */
export class ServerUrlError extends Error {
  override readonly name = 'ServerUrlError';
}

/**
 * `https://10.0.0.1:6443`, `http://127.0.0.1:8001/base`; of `https://[10.0.0.1]:6443`, as Calico's installer writes it, too.
 *
 * @throws {ServerUrlError} without the URL's text, which may hold a password
 */
export function parseServerUrl(text: string): ServerUrl {
  if (!/^https?:\/\//i.test(text)) throw new ServerUrlError('begins with neither https:// nor http://');
  const plain = text.replace(/^(https?:\/\/)\[([\w.-]+)\]/i, '$1$2');
  if (!URL.canParse(plain)) throw new ServerUrlError('is no URL');
  const url = new URL(plain);
  if (url.username !== '' || url.password !== '')
    throw new ServerUrlError('has a user or password, which podwire does not send');
  if (url.search !== '' || url.hash !== '')
    throw new ServerUrlError('has a part after "?" or "#", which an API server has no use for');
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

/** The server is on this machine, so nobody on the way can listen. */
export function isLoopback({ host }: ServerUrl): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

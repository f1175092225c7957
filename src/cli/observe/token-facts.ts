import type { Secret } from '../../cluster/credentials/secret.ts';
import type { TokenFacts } from '../../diagnosis/api-facts.ts';
import { statFile } from './stat-file.ts';

/** What a service account's token says about itself. It is not verified. Members are undefined for a token of another kind. */
export function describeToken(token: Secret, show: (text: string) => string): TokenFacts {
  const [, path] = / (\/\S+)$/.exec(token.source) ?? [];
  const claims = claimsOf(token);
  const node = member(member(claims, 'kubernetes.io'), 'node');
  const [name, uid] = [member(node, 'name'), member(node, 'uid')];
  const account = member(claims, 'sub');
  return {
    account:
      typeof account === 'string'
        ? account.slice(0, 256).replace('system:serviceaccount:', '').replace(':', '/')
        : undefined,
    issuedAtMs: secondsToMs(member(claims, 'iat')),
    expiresAtMs: secondsToMs(member(claims, 'exp')),
    boundNode: typeof name === 'string' && typeof uid === 'string' ? { name, uid } : undefined,
    file: path === undefined ? undefined : show(path),
    fileWrittenMs: path === undefined ? undefined : writtenMs(path),
  };
}

function claimsOf(token: Secret): unknown {
  try {
    return JSON.parse(Buffer.from(token.reveal().split('.')[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function secondsToMs(seconds: unknown): number | undefined {
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

function writtenMs(path: string): number | undefined {
  return statFile(path)?.mtimeMs;
}

// Here because it needs a program that `npm run tools` builds.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { allCases } from './tls-cases/all-cases.ts';
import { startCaseServer } from './tls-cases/judge.ts';
import type { TlsCase } from './tls-cases/tls-case.ts';

const SUBJECTS = allCases();
let results: ReadonlyMap<TlsCase, string> = new Map();
beforeAll(async () => {
  results = await judgeAsGo(Object.values(SUBJECTS).flat());
});

describe.each(Object.entries(SUBJECTS))('%s', (_, cases) => {
  it.each(cases.map((tlsCase) => [tlsCase.name, tlsCase] as const))('Go: a server %s', (__, tlsCase) => {
    const failure = results.get(tlsCase);
    expect({ failure, verdict: failure === '' ? 'accepted' : 'rejected' }).toMatchObject({ verdict: tlsCase.verdict });
  });
});

/** Returns why Go rejects each server; empty if it accepts it. */
async function judgeAsGo(cases: readonly TlsCase[]): Promise<ReadonlyMap<TlsCase, string>> {
  const { 'tls-verdict': program } = await ensureTools(['tls-verdict']);
  await using stack = new AsyncDisposableStack();
  const rows: object[] = [];
  for (const tlsCase of cases) {
    const { port } = stack.use(await startCaseServer(tlsCase));
    const { authorities, serverName, client } = tlsCase;
    const identity = client && { certificate: client.certificatePem, key: client.keyPem };
    rows.push({ address: `127.0.0.1:${port}`, authorities, serverName, ...identity });
  }
  const failures: readonly string[] = JSON.parse(await run(program, JSON.stringify(rows)));
  return new Map(cases.map((tlsCase, index) => [tlsCase, failures[index] ?? 'no result']));
}

function run(program: string, input: string): Promise<string> {
  const ended = promisify(execFile)(program);
  ended.child.stdin?.end(input);
  return ended.then(({ stdout }) => stdout);
}

// podwire, node:tls and Go are clients of the same servers. The verdict of a case is that of Go, which tls-verdicts.kernel.test.ts checks.
import { describe, expect, it } from 'vitest';
import { explainTlsFailure } from '../../../src/cluster/wire/tls-failure.ts';
import { allCases } from './tls-cases/all-cases.ts';
import { connectionOf } from './connections/test-connection.ts';
import { judgeAsNode, judgeAsPodwire, startCaseServer } from './tls-cases/judge.ts';
import type { TlsCase, Verdict } from './tls-cases/tls-case.ts';

describe.each(Object.entries(allCases()))('%s', (subject, cases) => {
  it.each(cases.map((tlsCase) => [tlsCase.name, tlsCase] as const))('a server %s', async (_, tlsCase) => {
    await using server = await startCaseServer(tlsCase);
    const [podwire, node] = await Promise.all(
      [judgeAsPodwire, judgeAsNode].map((judge) => judge(tlsCase, server.port)),
    );
    expect(podwire).toMatchObject({ verdict: tlsCase.verdict });
    expect(node).toMatchObject({ verdict: verdictOfNode(tlsCase) });
    if (podwire?.verdict === 'accepted' || !EXPLAINED.includes(subject)) return;
    const connection = connectionOf(tlsCase, server.port);
    const message = explainTlsFailure(podwire?.reason ?? '', undefined, connection) ?? podwire?.reason;
    expect(message).toMatch(
      /is not trusted|does not speak TLS|is not the name of a server|^ERR_SSL_EXCESSIVE_MESSAGE_SIZE$/,
    );
  });
});

/** The subjects in which the server is at fault: a file of authorities is an invalid configuration, and a client is refused. */
const EXPLAINED = ['chains of certificates', 'names in certificates', 'keys and signatures', 'protocols'];

function verdictOfNode({ verdict, nodeDiffers }: TlsCase): Verdict {
  if (nodeDiffers === undefined) return verdict;
  return verdict === 'accepted' ? 'rejected' : 'accepted';
}

// podwire, node:tls and Go are clients of the same servers. The verdict of a case is that of Go, which tls-verdicts.kernel.test.ts checks.
import { describe, expect, it } from 'vitest';
import { allCases } from './tls-cases/all-cases.ts';
import { judgeAsNode, judgeAsPodwire, startCaseServer } from './tls-cases/judge.ts';
import type { TlsCase, Verdict } from './tls-cases/tls-case.ts';

describe.each(Object.entries(allCases()))('%s', (_, cases) => {
  it.each(cases.map((tlsCase) => [tlsCase.name, tlsCase] as const))('a server %s', async (__, tlsCase) => {
    await using server = await startCaseServer(tlsCase);
    const { podwireDiffers, nodeDiffers } = tlsCase;
    const [podwire, node] = await Promise.all(
      [judgeAsPodwire, judgeAsNode].map((judge) => judge(tlsCase, server.port)),
    );
    expect(podwire).toMatchObject({ verdict: expected(tlsCase, podwireDiffers) });
    expect(node).toMatchObject({ verdict: expected(tlsCase, nodeDiffers) });
  });
});

function expected({ verdict }: TlsCase, whyDifferent: string | undefined): Verdict {
  if (whyDifferent === undefined) return verdict;
  return verdict === 'accepted' ? 'rejected' : 'accepted';
}

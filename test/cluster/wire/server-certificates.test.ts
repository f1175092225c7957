// Which servers are accepted: tls-verdicts.test.ts. Here is what is said of those that are not.
import { expect, it } from 'vitest';
import { judgeAsPodwire, startCaseServer } from './tls-cases/judge.ts';
import { authority, caseOf, server } from './tls-cases/tls-case.ts';

const NO_IDENTIFIERS = { keyIdentifiers: 'none' } as const;
const EXPIRED = { notBefore: new Date('2020-01-01'), notAfter: new Date('2020-01-02') };
const root = authority('root', NO_IDENTIFIERS);
const namesake = authority('root', NO_IDENTIFIERS);

it.each([
  caseOf('has expired, and has an authority with a namesake', 'rejected', [server(root, EXPIRED)], [namesake, root]),
  caseOf('has expired', 'rejected', [server(root, EXPIRED)], [root]),
])('a certificate that $name is reported as expired', async (tlsCase) => {
  await using listener = await startCaseServer(tlsCase);
  expect(await judgeAsPodwire(tlsCase, listener.port)).toEqual({ verdict: 'rejected', reason: 'CERT_HAS_EXPIRED' });
});

it('a server whose certificates allow millions of paths is refused', async () => {
  const many = Array.from({ length: 400 }, () => authority('root', { ...NO_IDENTIFIERS, key: namesake.key }, namesake));
  const tlsCase = caseOf('many paths', 'rejected', [server(namesake, NO_IDENTIFIERS), ...many], [root]);
  await using listener = await startCaseServer(tlsCase);
  expect(await judgeAsPodwire(tlsCase, listener.port)).toMatchObject({ verdict: 'rejected' });
});

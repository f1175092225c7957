import { describe, expect, it } from 'vitest';
import type { NameFacts } from '../../src/diagnosis/api-facts.ts';
import { checkName } from '../../src/diagnosis/check-name.ts';

type Answer = NameFacts['servers'][number]['answer'];
const check = (addresses: readonly string[], ...answers: readonly Answer[]) =>
  checkName({
    name: 'api.example',
    addresses,
    servers: answers.map((answer, index) => ({ address: `192.0.2.${index + 1}`, answer })),
  });

describe('checkName', () => {
  it('an address needs no name server', () => expect(checkName(undefined)).toMatchObject({ outcome: 'ok' }));

  it('every name server answers', () =>
    expect(check(['192.0.2.9'], 'address')).toMatchObject({
      outcome: 'ok',
      summary: 'api.example is resolved to 192.0.2.9',
    }));

  it('one of two does not answer', () =>
    expect(check(['192.0.2.9'], 'no answer', 'address')).toMatchObject({
      number: 'PW206',
      outcome: 'warning',
      summary: '1 of 2 name servers of this node do not answer.',
      evidence: [
        ['name', 'api.example'],
        ['server', '192.0.2.1: does not answer, or refuses to'],
        ['server', '192.0.2.2: answers'],
      ],
      fix: ['getent ahosts api.example', 'cat /etc/resolv.conf'],
    }));

  it('the name is in /etc/hosts', () =>
    expect(check(['192.0.2.9'], 'no answer', 'unknown name')).toMatchObject({ outcome: 'ok' }));

  it('nothing knows the name', () =>
    expect(check([], 'unknown name')).toMatchObject({
      outcome: 'failed',
      evidence: [expect.anything(), ['server', '192.0.2.1: answers that the name does not exist']],
    }));

  it('no name server is configured', () =>
    expect(check([])).toMatchObject({
      outcome: 'failed',
      evidence: [
        ['name', 'api.example'],
        ['configured', 'no name server'],
      ],
    }));
});

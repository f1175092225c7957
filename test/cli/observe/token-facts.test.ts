import { expect, it } from 'vitest';
import { describeToken } from '../../../src/cli/observe/token-facts.ts';
import { makeSecret } from '../../../src/cluster/credentials/secret.ts';

const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const show = (text: string) => text;

it('describes account, times, Node and file', () => {
  const claims = {
    sub: 'system:serviceaccount:kube-system:podwire',
    iat: 100,
    exp: 200,
    'kubernetes.io': { node: { name: 'node-1', uid: 'uid-1' } },
  };
  expect(describeToken(makeSecret(token(claims), 'user "podwire" in the kubeconfig /none/file'), show)).toEqual({
    account: 'kube-system/podwire',
    issuedAtMs: 100_000,
    expiresAtMs: 200_000,
    boundNode: { name: 'node-1', uid: 'uid-1' },
    file: '/none/file',
    fileWrittenMs: undefined,
  });
});

it('a token of another kind has none of them', () =>
  expect(describeToken(makeSecret('opaque', 'policy.k8s_auth_token in the network configuration'), show)).toEqual({
    account: undefined,
    issuedAtMs: undefined,
    expiresAtMs: undefined,
    boundNode: undefined,
    file: undefined,
    fileWrittenMs: undefined,
  }));

import { describe, expect, it } from 'vitest';
import type { RenewerFact } from '../../src/diagnosis/api-facts.ts';
import {
  checkRenewal,
  describeRenewer,
  describeTokenFile,
  isRenewalOverdue,
  renewerCommands,
} from '../../src/diagnosis/check-renewal.ts';
import { apiFacts, HOUR_MS, NOON_MS, seen, unseen } from '../support/builders/node-facts.ts';

const renewer: RenewerFact = {
  pod: 'podwire-7xk2f',
  state: 'CrashLoopBackOff',
  isReady: false,
  restartCount: 3,
  lastLine: 'the service account kube-system/podwire does not exist',
};
const { token } = apiFacts();
const tokenOf = (ageMs: number, lifeMs: number) =>
  token && { ...token, issuedAtMs: NOON_MS - ageMs, expiresAtMs: NOON_MS - ageMs + lifeMs };
const LATE = tokenOf(23 * HOUR_MS, 24 * HOUR_MS);

it.each([
  ['after 85 % of its life', LATE, true],
  ['earlier', tokenOf(19 * HOUR_MS, 24 * HOUR_MS), false],
  ['a token of a test', tokenOf(290_000, 300_000), false],
  ['credentials that do not expire', undefined, false],
])('a token should have been renewed: %s', (_, of, expected) => expect(isRenewalOverdue(of, NOON_MS)).toBe(expected));

describe('checkRenewal', () => {
  it('a healthy node', () => expect(checkRenewal(apiFacts(), 'node-1', NOON_MS)).toMatchObject({ outcome: 'ok' }));

  it('names the pod of the renewer, its state and its last line', () =>
    expect(checkRenewal(apiFacts({ token: LATE, renewer: seen(renewer) }), 'node-1', NOON_MS)).toMatchObject({
      number: 'PW405',
      outcome: 'warning',
      evidence: expect.arrayContaining([
        ['renewal', 'pod podwire-7xk2f, container "token": CrashLoopBackOff, not ready, 3 restarts'],
        ['its log', 'the service account kube-system/podwire does not exist'],
      ]),
      fix: [
        'kubectl -n kube-system logs podwire-7xk2f -c token --tail 5',
        'kubectl -n kube-system delete pod -l app.kubernetes.io/name=podwire --field-selector spec.nodeName=node-1',
      ],
    }));
});

it('a renewer that runs, one that is missing, and one that cannot be seen', () => {
  const running = { ...renewer, state: 'Running', isReady: true, restartCount: 0, lastLine: undefined };
  expect(describeRenewer(seen(running))).toEqual([
    ['renewal', 'pod podwire-7xk2f, container "token": Running'],
    ['its log', undefined],
  ]);
  expect(describeRenewer(seen('absent'))).toEqual([['renewal', 'this node has no pod of podwire']]);
  expect(describeRenewer(unseen('not permitted'))).toEqual([['renewal', 'not seen: not permitted']]);
});

it('without the name of the pod, the command finds it; without that of the Node, it names the DaemonSet', () => {
  expect(renewerCommands(unseen('x'), 'node-1')[0]).toBe(
    'kubectl -n kube-system logs $(kubectl -n kube-system get pods -l app.kubernetes.io/name=podwire --field-selector spec.nodeName=node-1 -o name) -c token --tail 5',
  );
  expect(renewerCommands(unseen('x'), undefined)[0]).toBe('kubectl -n kube-system logs ds/podwire -c token --tail 5');
});

it('the file of a token, and when it was written', () => {
  expect(describeTokenFile(token, NOON_MS)).toMatch(/^\/etc\/cni\/net\.d\/podwire-kubeconfig, written /);
  expect(describeTokenFile(undefined, NOON_MS)).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { checkApi } from '../../src/diagnosis/check-api.ts';
import type { ApiFacts, TokenFacts } from '../../src/diagnosis/api-facts.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import { apiFacts, HOUR_MS, nodeFacts, NOON_MS, processFacts, seen, unseen } from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<ApiFacts>) =>
  checkApi(nodeFacts({ api: seen(apiFacts(overrides)) })).filter(
    ({ outcome }) => outcome === 'failed' || outcome === 'warning',
  );
const numbers = (overrides: Partial<ApiFacts>) => problems(overrides).map(({ number }) => number);
const failed = (finding: `PW${number}`): Pick<ApiFacts, 'answer'> => ({
  answer: { kind: 'failed', error: new CniError(100, 'the message', { finding }) },
});
const token = (overrides: Partial<TokenFacts>) => {
  const healthy = apiFacts().token;
  return healthy && { ...healthy, ...overrides };
};

describe('checkApi', () => {
  const finds = (what: string, overrides: Partial<ApiFacts>, ...expected: readonly string[]) =>
    it(what, () => expect(numbers(overrides)).toEqual(expected));

  finds('a healthy node has no finding', {});
  finds('a server that cannot be reached', failed('PW201'), 'PW201');
  finds('a server that is not trusted', failed('PW202'), 'PW202');
  finds('a refused token', failed('PW401'), 'PW401');
  finds('a clock that is a day ahead', { probe: { ...apiFacts().probe, clockAheadMs: 24 * HOUR_MS } }, 'PW204');
  finds('a clock that is a minute behind is fine', { probe: { ...apiFacts().probe, clockAheadMs: -59_000 } });
  finds('a slow server', { slowestMs: 1500 }, 'PW203');
  finds(
    'a Node that was created again',
    { ...failed('PW401'), node: seen({ uid: 'uid-2', podCidrs: [], freePodCidr: undefined, maxPods: undefined }) },
    'PW401',
    'PW402',
  );
  finds('a Node that was deleted', { node: seen('absent') }, 'PW402');
  finds('a missing right', { rights: seen([{ right: 'get pods', isAllowed: false }]) }, 'PW403');
  finds(
    'admission that refuses',
    { dryRun: seen({ pod: 'a/b', error: new CniError(100, 'no'), exemption: 'kubectl patch' }) },
    'PW404',
  );
  finds(
    'a token that is renewed late',
    { token: token({ issuedAtMs: NOON_MS - 23 * HOUR_MS, expiresAtMs: NOON_MS + HOUR_MS }) },
    'PW405',
  );
  finds('a token of a test is not renewed', {
    token: token({ issuedAtMs: NOON_MS - 290_000, expiresAtMs: NOON_MS + 10_000 }),
  });
  finds('a client certificate instead of a token', { token: undefined });

  it.each([
    ['system:serviceaccount:kube-system:podwire', undefined],
    [
      'system:serviceaccount:kube-system:calico-cni-plugin',
      'kubectl create clusterrolebinding podwire-for-kube-system-calico-cni-plugin --clusterrole=podwire --serviceaccount=kube-system:calico-cni-plugin',
    ],
  ])('a missing right of %s is granted to this account', (account, binding) => {
    const [finding] = problems({
      rights: seen([{ right: 'get pods', isAllowed: false }]),
      token: token({ account }),
    });
    expect(finding?.fix).toEqual(['kubectl apply -f cni-conf/rbac.yaml', ...(binding === undefined ? [] : [binding])]);
  });

  it('whether a token has expired is decided by the clock of the server', () => {
    const probe = { ...apiFacts().probe, clockAheadMs: 24 * HOUR_MS };
    const [, refused] = problems({ ...failed('PW401'), probe });
    expect(refused).toMatchObject({ number: 'PW401', summary: expect.not.stringContaining('expired') });
  });

  it('the exemption is the fix, if it is known', () =>
    expect(
      problems({ dryRun: seen({ pod: 'a/b', error: new CniError(100, 'no'), exemption: 'kubectl patch' }) }),
    ).toMatchObject([{ fix: ['kubectl patch'] }]));

  it('a kubeconfig that cannot be used is the only finding', () => {
    const findings = checkApi(nodeFacts({ api: unseen('the kubeconfig /k does not exist (ENOENT)') }));
    expect(findings.filter(({ outcome }) => outcome !== 'skipped')).toMatchObject([
      { number: 'PW205', outcome: 'failed', evidence: [['problem', 'the kubeconfig /k does not exist (ENOENT)']] },
    ]);
  });

  it('the other address of the API server, and what sets the clock, are evidence', () => {
    const probe = { ...apiFacts().probe, clockAheadMs: 24 * HOUR_MS };
    const facts = apiFacts({ ...failed('PW201'), probe, otherServer: 'https://192.0.2.9:6443' });
    const findings = checkApi(nodeFacts({ api: seen(facts), processes: processFacts({ timeService: undefined }) }));
    const evidenceOf = (number: string) => findings.find((finding) => finding.number === number)?.evidence;
    expect(evidenceOf('PW201')).toContainEqual(['kubelet', 'uses https://192.0.2.9:6443']);
    expect(evidenceOf('PW204')).toContainEqual(['set by', expect.stringContaining('no time service is seen')]);
  });

  it('two writers of the file that calico-node writes, and of another one', () => {
    const processes = processFacts({
      tokenWriters: ['calico-node -monitor-token', 'podwire install --watch --as-calico'],
    });
    const check = (kubeconfig: string) => {
      const config = networkConfig({ kubernetes: { kubeconfig } });
      const own = { kind: 'valid', fileName: '10-calico.conflist', config } as const;
      return checkApi(nodeFacts({ processes, own })).filter(({ outcome }) => outcome === 'warning');
    };
    expect(check('/etc/cni/net.d/podwire-kubeconfig')).toEqual([]);
    expect(check('/etc/cni/net.d/calico-kubeconfig')).toMatchObject([
      { number: 'PW406', fix: ['kubectl -n kube-system set env daemonset/calico-node CALICO_MANAGE_CNI=false'] },
    ]);
  });
});

import { expect, it } from 'vitest';
import { checkMultus, hasMultus } from '../../src/diagnosis/check-multus.ts';
import type { ConfigFile, PrimaryNetwork } from '../../src/diagnosis/facts.ts';
import { nodeFacts, seen, unseen } from '../support/builders/node-facts.ts';

const { configs } = nodeFacts();
const own: readonly ConfigFile[] = configs.kind === 'seen' ? configs.value : [];
const other = own.map((file) => ({ ...file, name: '05-other.conflist', network: 'other', plugins: ['bridge'] }));
const check = (primary: PrimaryNetwork) =>
  checkMultus(nodeFacts({ configs: seen([...other, ...own]), multus: { fileName: '00-multus.conf', primary } }));
const RESTART = 'kubectl -n kube-system delete pod -l app=multus --field-selector spec.nodeName=node-1';

it('without Multus', () => expect(checkMultus(nodeFacts())).toMatchObject({ number: 'PW111', outcome: 'ok' }));

it('podwire is the primary network', () =>
  expect(
    check({ kind: 'known', source: '/p', network: 'k8s-pod-network', plugins: ['podwire', 'portmap'] }),
  ).toMatchObject({ outcome: 'ok' }));

it('another network is the primary one: its file is hidden, and Multus chooses again', () =>
  expect(check({ kind: 'known', source: '"delegates"', network: 'other', plugins: ['bridge'] })).toMatchObject({
    outcome: 'failed',
    evidence: [
      ['multus', '/etc/cni/net.d/00-multus.conf'],
      ['primary', '"delegates": network other, bridge'],
    ],
    fix: ['mv /etc/cni/net.d/05-other.conflist /etc/cni/net.d/05-other.conflist.disabled', RESTART],
  }));

it('the file of another network is elsewhere', () =>
  expect(check({ kind: 'known', source: '/x', network: 'unknown', plugins: ['bridge'] })).toMatchObject({
    outcome: 'failed',
    fix: [RESTART],
  }));

it('the file is missing', () =>
  expect(check({ kind: 'unusable', why: '/p does not exist' })).toMatchObject({
    outcome: 'failed',
    evidence: [expect.anything(), ['problem', '/p does not exist']],
    fix: [RESTART],
  }));

it('what only the cluster knows is skipped, and so is a folder that cannot be read', () => {
  expect(check({ kind: 'elsewhere', network: 'macvlan' })).toMatchObject({ outcome: 'skipped' });
  expect(checkMultus(nodeFacts({ configs: unseen('EACCES') }))).toMatchObject({
    outcome: 'skipped',
    summary: 'EACCES',
  });
});

it('Multus has two plugins', () =>
  expect([['multus'], ['multus-shim'], ['podwire']].map((plugins) => hasMultus({ plugins }))).toEqual([
    true,
    true,
    false,
  ]));

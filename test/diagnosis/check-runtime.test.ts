import { describe, expect, it } from 'vitest';
import { checkRuntime, quoteForShell, reinstallCommand } from '../../src/diagnosis/check-runtime.ts';
import type { ConfigFile, NodeFacts } from '../../src/diagnosis/facts.ts';
import { CniError } from '../../src/cni/error.ts';
import { HOUR_MS, NOON_MS, nodeFacts, seen, unseen } from '../support/builders/node-facts.ts';

const problems = (overrides: Partial<NodeFacts>) =>
  checkRuntime(nodeFacts(overrides)).flatMap(({ number, outcome, fix }) =>
    outcome === 'ok' ? [] : [{ number, outcome, fix }],
  );

const own: ConfigFile = {
  name: '10-podwire.conflist',
  problem: undefined,
  network: 'k8s-pod-network',
  cniVersion: '1.0.0',
  plugins: ['podwire'],
  masqueradesHostPorts: undefined,
};
const other = (name: string, type: string, network = 'other'): ConfigFile => ({
  ...own,
  name,
  network,
  plugins: [type],
});

describe('checkRuntime', () => {
  const finds = (what: string, overrides: Partial<NodeFacts>, ...expected: readonly object[]) =>
    it(what, () => expect(problems(overrides)).toMatchObject(expected));

  finds('a healthy node has no finding', {});
  finds(
    'a program whose loader is missing',
    {
      programs: seen([
        { type: 'podwire', path: '/p', problem: { kind: 'loader', text: 'no loader', fix: [] }, versions: [] },
      ]),
    },
    { number: 'PW104', fix: [expect.stringMatching(/^kubectl -n kube-system delete pod /)] },
  );
  const denied = (ageMs: number): Partial<NodeFacts> => {
    const denial = { atMs: NOON_MS - ageMs, what: 'execute', object: 'podwire', label: 'user_home_t' };
    return { machine: { ...nodeFacts().machine, denials: seen([denial]) } };
  };
  finds('a denial of SELinux', denied(60_000), {
    number: 'PW108',
    outcome: 'warning',
    fix: ['restorecon -Rv /opt/cni/bin/podwire /etc/cni/net.d /var/lib/podwire /var/lib/cni'],
  });
  finds('an old denial may have been corrected', denied(HOUR_MS));
  finds(
    'a runtime with other folders',
    {
      runtime: seen({
        name: 'crio',
        folders: { configs: '/etc/cni/net.d', programs: ['/usr/libexec/cni'] },
        sandboxIds: [],
      }),
    },
    { number: 'PW101', fix: [expect.stringContaining('CNI_BIN_DIR=/usr/libexec/cni')] },
  );
  finds(
    'a runtime that cannot be asked is skipped',
    { runtime: unseen('no socket') },
    { number: 'PW101', outcome: 'skipped' },
  );
  finds(
    'no configuration for podwire',
    { own: { kind: 'absent' }, configs: seen([]) },
    { number: 'PW102', outcome: 'failed' },
  );
  finds(
    'a plugin of the list that is older than the configuration',
    {
      programs: seen([
        { type: 'portmap', path: '/opt/cni/bin/portmap', problem: undefined, versions: ['0.3.1', '0.4.0'] },
        { type: 'host-local', path: '/opt/cni/bin/host-local', problem: undefined, versions: ['0.4.0'] },
      ]),
    },
    { number: 'PW110', outcome: 'failed', fix: [reinstallCommand('node-1')] },
  );
  finds(
    'native code on a file system that is mounted noexec',
    {
      machine: {
        ...nodeFacts().machine,
        nativeFolder: seen({ folder: '/f', problem: 'noexec', fix: ['mount -o remount,exec /'] }),
      },
    },
    { number: 'PW109', outcome: 'failed', fix: ['mount -o remount,exec /'] },
  );
  finds(
    'an invalid one',
    { own: { kind: 'invalid', fileName: '10-podwire.conflist', error: new CniError(7, 'mtu') } },
    { number: 'PW102', outcome: 'failed', fix: [reinstallCommand('node-1')] },
  );
  finds(
    'a missing plugin',
    {
      programs: seen([
        { type: 'host-local', path: undefined, problem: { kind: 'missing', text: '/opt', fix: [] }, versions: [] },
      ]),
    },
    { number: 'PW103', outcome: 'failed' },
  );
  finds(
    'a plugin that cannot run',
    {
      programs: seen([
        { type: 'portmap', path: '/p', problem: { kind: 'noexec', text: 'noexec', fix: ['mount'] }, versions: [] },
      ]),
    },
    { number: 'PW104', outcome: 'failed', fix: ['mount'] },
  );
  finds(
    'the configuration of another plugin that comes first',
    { configs: seen([other('05-cilium.conflist', 'cilium-cni'), own]) },
    { number: 'PW105', fix: ['mv /etc/cni/net.d/05-cilium.conflist /etc/cni/net.d/05-cilium.conflist.disabled'] },
  );
  finds('Multus comes first on purpose', { configs: seen([other('00-multus.conf', 'multus'), own]) });
  finds('after Multus, the runtime uses no other file', {
    configs: seen([other('00-multus.conf', 'multus'), other('05-bridge.conf', 'bridge'), own]),
  });
  finds(
    'another pod network that comes later',
    { configs: seen([own, other('20-calico.conflist', 'calico')]) },
    { number: 'PW106', outcome: 'warning' },
  );
  finds('a bridge of another program that comes later is not a finding', {
    configs: seen([own, other('87-podman-bridge.conflist', 'bridge')]),
  });
  finds(
    'two configurations of one network',
    { configs: seen([own, other('87-copy.conflist', 'bridge', 'k8s-pod-network')]) },
    { number: 'PW106', outcome: 'warning' },
  );
  finds(
    'another version in the folder of plugins',
    { machine: { ...nodeFacts().machine, isSameProgram: false } },
    { number: 'PW107' },
  );
});

it('a word with special characters is quoted for a shell', () =>
  expect([quoteForShell('/a/b'), quoteForShell("it's")]).toEqual(['/a/b', String.raw`'it'\''s'`]));

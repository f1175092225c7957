import { describe, expect, it } from 'vitest';
import { connectionEnvironment, parseInstallSettings } from '../../src/install/settings.ts';

describe('settings without any argument or variable', () => {
  it('are those of the DaemonSet, without --watch', () => {
    expect(parseInstallSettings([], {})).toMatchObject({
      nodeName: undefined,
      configName: '10-podwire.conflist',
      kubeconfigName: 'podwire-kubeconfig',
      oldConfigNames: [],
      template: { text: undefined, path: undefined },
      placeholders: {
        CNI_SPEC_VERSION: '1.1.0',
        IPAM_RANGES: [[{ subnet: 'usePodCidr' }]],
        REQUIRE_MTU_FILE: false,
        CNI_MTU: '0',
        LOG_LEVEL: 'info',
        DATASTORE_TYPE: 'kubernetes',
      },
      skippedPrograms: [],
      updatePrograms: true,
      account: 'podwire',
      watchEverySeconds: undefined,
    });
  });
});

it('--as-calico selects the agent’s names, unless a variable sets another', () => {
  const names = { configName: '10-calico.conflist', kubeconfigName: 'calico-kubeconfig', account: 'calico-cni-plugin' };
  expect(parseInstallSettings(['--as-calico'], {})).toMatchObject(names);
  const environment = { CNI_CONF_NAME: '10-canal.conflist', CALICO_CNI_SERVICE_ACCOUNT: 'canal' };
  expect(parseInstallSettings(['--as-calico'], environment)).toMatchObject({
    ...names,
    configName: '10-canal.conflist',
    account: 'canal',
  });
});

describe('a variable', () => {
  const sets = (variable: string, value: string, expected: object) =>
    it(`${variable}=${value}`, () => expect(parseInstallSettings([], { [variable]: value })).toMatchObject(expected));

  sets('CNI_CONF_NAME', '00-first.conflist', { configName: '00-first.conflist' });
  sets('CNI_OLD_CONF_NAME', '10-calico.conflist, a.conf', { oldConfigNames: ['10-calico.conflist', 'a.conf'] });
  sets('CNI_NETWORK_CONFIG', '{}', { template: { text: '{}' } });
  sets('CNI_NETWORK_CONFIG_FILE', '/a', { template: { path: '/a' } });
  sets('SKIP_CNI_BINARIES', 'tuning,portmap', { skippedPrograms: ['tuning', 'portmap'] });
  sets('UPDATE_CNI_BINARIES', 'false', { updatePrograms: false });
  sets('CNI_MTU', '01400', { placeholders: { CNI_MTU: '1400' } });
  sets('CNI_SPEC_VERSION', '1.0.0', { placeholders: { CNI_SPEC_VERSION: '1.0.0' } });
  sets('IP_FAMILIES', 'ipv4, ipv6', {
    placeholders: { IPAM_RANGES: [[{ subnet: 'usePodCidr' }], [{ subnet: 'usePodCidrIPv6' }]] },
  });
  sets('IP_FAMILIES', 'ipv6', { placeholders: { IPAM_RANGES: [[{ subnet: 'usePodCidrIPv6' }]] } });
  sets('REQUIRE_MTU_FILE', 'true', { placeholders: { REQUIRE_MTU_FILE: true } });
  sets('CNI_BIN_DIR', '/usr/libexec/cni', { layout: { onNode: { programs: '/usr/libexec/cni' } } });
  sets('CALICO_CNI_SERVICE_ACCOUNT', 'other', { account: 'other' });
  sets('KUBERNETES_NODE_NAME', 'n1', { nodeName: 'n1' });
  sets('KUBERNETES_NODE_NAME', '', { nodeName: undefined });

  const refuses = (variable: string, value: string) =>
    it(`${variable}=${JSON.stringify(value)} is an error with its name`, () =>
      expect(() => parseInstallSettings([], { [variable]: value })).toThrow(variable));

  refuses('CNI_CONF_NAME', '../passwd.conf');
  refuses('CNI_CONF_NAME', '.hidden.conflist');
  refuses('CNI_CONF_NAME', '10-podwire.txt');
  refuses('CNI_OLD_CONF_NAME', '../../passwd');
  refuses('CNI_MTU', '1e3');
  refuses('CNI_SPEC_VERSION', '1.1');
  refuses('IP_FAMILIES', 'ipv5');
  refuses('IP_FAMILIES', 'ipv4,ipv4');
  refuses('IP_FAMILIES', ',');
  refuses('REQUIRE_MTU_FILE', 'maybe');
  refuses('UPDATE_CNI_BINARIES', 'maybe');
  refuses('KUBERNETES_SERVICE_PROTOCOL', 'http');
  refuses('CNI_NET_DIR', 'relative');
  refuses('CNI_BIN_DIR', './bin');
});

describe('an argument', () => {
  it('--watch checks every five minutes, or as often as TOKEN_CHECK_SECONDS specifies', () => {
    expect(parseInstallSettings(['--watch'], {}).watchEverySeconds).toBe(300);
    expect(parseInstallSettings(['--watch'], { TOKEN_CHECK_SECONDS: '60' }).watchEverySeconds).toBe(60);
  });
  it('--root sets the folder of the node', () =>
    expect(parseInstallSettings(['--root', '/mnt'], {}).layout.here.programs).toBe('/mnt/opt/cni/bin'));
  it.each([
    [['--root'], 'got nothing'],
    [['--root', 'mnt'], 'got "mnt"'],
  ])('%j is an error that says what --root needs', (args, found) =>
    expect(() => parseInstallSettings(args, {})).toThrow(
      `--root of podwire install needs an absolute folder, ${found}`,
    ),
  );
  it.each([['--help'], ['-x']])('%s is an error', (...args) =>
    expect(() => parseInstallSettings(args, {})).toThrow(
      'podwire install accepts --watch, --as-calico and --root FOLDER',
    ),
  );
});

describe('SKIP_TLS_VERIFY', () => {
  it('sets K8S_INSECURE_SKIP_TLS_VERIFY for the client', () => {
    expect(connectionEnvironment({ SKIP_TLS_VERIFY: 'true', A: 'b' })).toEqual({
      SKIP_TLS_VERIFY: 'true',
      A: 'b',
      K8S_INSECURE_SKIP_TLS_VERIFY: 'true',
    });
    expect(connectionEnvironment({ A: 'b' })).toEqual({ A: 'b' });
  });
  it('that is neither true nor false is an error', () =>
    expect(() => connectionEnvironment({ SKIP_TLS_VERIFY: 'ja' })).toThrow('SKIP_TLS_VERIFY'));
});

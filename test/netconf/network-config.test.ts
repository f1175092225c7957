import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { NO_CONNECTION_SETTINGS } from '../../src/cluster/credentials/connection-settings.ts';
import type { Environment } from '../../src/cni/environment.ts';
import type { OnError } from '../../src/json/json-reader.ts';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import { parseNetworkConfig, parseNetworkHeader, type NetworkConfig } from '../../src/netconf/network-config.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';
import { netconf } from '../lab/netconf.ts';

type Overrides = Readonly<Record<string, JsonValue | undefined>>;

const parseRaw = (raw: JsonObject, environment: Environment = {}, onError?: OnError) =>
  parseNetworkConfig(parseNetworkHeader(raw), environment, onError);
const parse = (overrides: Overrides = {}) => parseRaw(netconf(overrides));

describe('the least that is accepted', () => {
  const raw = { name: 'n', type: 'podwire', ipam: { type: 'host-local' } };

  it('gets these defaults', () =>
    expect(parseRaw(raw)).toEqual({
      cniVersion: '0.1.0',
      name: 'n',
      requireMtuFile: false,
      nodeNameFile: '/var/lib/calico/nodename',
      nodeNameFileOptional: false,
      connection: NO_CONNECTION_SETTINGS,
      log: { level: 'info', format: 'text', filePath: undefined, maxSizeMb: 100, maxAgeDays: 30, maxCount: 10 },
      floatingIpsEnabled: false,
      allowIpForwarding: false,
      includeDefaultRoutes: false,
      readinessGates: [],
      policySetupTimeoutSeconds: 0,
      endpointStatusDirectory: '/var/run/calico/endpoint-status',
      hostInterfacePrefix: 'cali',
      budgets: { apiConnectMs: 1000, apiRequestMs: 2000, addApiMs: 4000, delApiMs: 1500, delegateMs: 10_000 },
      ipam: { type: 'host-local' },
      delegateType: 'host-local',
      raw,
    } satisfies Partial<NetworkConfig>));
});

describe('each key', () => {
  const reads = (overrides: Overrides, expected: Partial<NetworkConfig>) =>
    it(JSON.stringify(overrides), () => expect(parse(overrides)).toMatchObject(expected));

  reads({ mtu: 68 }, { mtuBytes: 68 });
  reads({ mtu: 1e3 }, { mtuBytes: 1000 });
  reads({ mtu: 65535 }, { mtuBytes: 65535 });
  reads({ mtu: 0 }, { mtuBytes: undefined });
  reads({ mtu: null }, { mtuBytes: undefined });
  reads({ require_mtu_file: true }, { requireMtuFile: true });
  reads({ num_queues: 4 }, { queueCount: 4 });
  reads({ num_queues: 0 }, { queueCount: undefined });
  reads({ nodename: 'node-2' }, { nodeName: 'node-2' });
  reads({ nodename: '' }, { nodeName: undefined });
  reads({ nodename_file: '/x' }, { nodeNameFile: '/x' });
  reads({ nodename_file_optional: true }, { nodeNameFileOptional: true });
  reads({ kubernetes: { node_name: 'node-3' } }, { podCidrNodeName: 'node-3' });
  reads({ datastore_type: 'etcdv3' }, { connection: { ...parse().connection, datastoreType: 'etcdv3' } });
  reads({ feature_control: { floating_ips: true } }, { floatingIpsEnabled: true });
  reads({ container_settings: { allow_ip_forwarding: true } }, { allowIpForwarding: true });
  reads({ include_default_routes: true }, { includeDefaultRoutes: true });
  reads({ route_localnet: false }, { routeLocalnet: false });
  reads(
    { readiness_gates: ['http://localhost:9099/readiness'] },
    { readinessGates: ['http://localhost:9099/readiness'] },
  );
  reads({ policy_setup_timeout_seconds: 10 }, { policySetupTimeoutSeconds: 10 });
  reads({ endpoint_status_dir: '/run/e' }, { endpointStatusDirectory: '/run/e' });
  reads(
    { budgets: { api_connect_ms: 5, delegate_ms: 6 } },
    { budgets: { ...parse().budgets, apiConnectMs: 5, delegateMs: 6 } },
  );
  reads({ dns: { nameservers: ['10.96.0.10'] } }, { dns: { nameservers: ['10.96.0.10'] } });
  reads({ dns: {} }, { dns: undefined });
  reads({ ipam: { type: 'static', x: 1 } }, { delegateType: 'static', ipam: { type: 'static', x: 1 } });
  reads({ capabilities: { portMappings: true }, qps: 'x', etcd_endpoints: 5 }, { name: 'k8s-pod-network' });

  it.each([
    ['debug', 'debug'],
    ['info', 'info'],
    ['warn', 'warning'],
    ['warning', 'warning'],
    ['WARNING', 'warning'],
    ['Error', 'error'],
    ['trace', 'info'],
    ['', 'info'],
  ])('log_level %j is %s', (given, level) => expect(parse({ log_level: given }).log.level).toBe(level));

  it('the log file has its limits', () =>
    expect(
      parse({ log_file_path: '/l', log_file_max_size: 1, log_file_max_age: 2, log_file_max_count: 3 }).log,
    ).toMatchObject({
      filePath: '/l',
      maxSizeMb: 1,
      maxAgeDays: 2,
      maxCount: 3,
    }));

  it('the connection is below policy and kubernetes', () =>
    expect(
      parse({
        kubernetes: { kubeconfig: '/k' },
        policy: {
          k8s_api_root: 'https://10.0.0.1:6443/api/v1',
          k8s_auth_token: 't',
          k8s_client_certificate: '/c',
          k8s_client_key: '/y',
          k8s_certificate_authority: '/a',
        },
      }).connection,
    ).toEqual({
      datastoreType: 'kubernetes',
      kubeconfigPath: '/k',
      apiRoot: 'https://10.0.0.1:6443',
      token: 't',
      clientCertificatePath: '/c',
      clientKeyPath: '/y',
      certificateAuthorityPath: '/a',
    }));
  it("kubernetes.k8s_api_root wins over policy's", () =>
    expect(
      parse({ kubernetes: { k8s_api_root: 'https://a' }, policy: { k8s_api_root: 'https://b' } }).connection.apiRoot,
    ).toBe('https://a'));

  it('FELIX_INTERFACEPREFIX is the prefix', () =>
    expect(parseRaw(netconf(), { FELIX_INTERFACEPREFIX: 'eni,cali' }).hostInterfacePrefix).toBe('eni'));
  it('a FELIX_INTERFACEPREFIX that does not fit is an error of the environment', () =>
    expect(cniFailure(() => parseRaw(netconf(), { FELIX_INTERFACEPREFIX: 'calico' })).code).toBe(4));

  it('prevResult is read in its own version', () =>
    expect(parse({ prevResult: { cniVersion: '0.2.0', ip4: { ip: '10.0.0.1/24' } } }).prevResult?.ips).toEqual([
      { address: parseCidr('10.0.0.1/24') },
    ]));
  it("a prevResult without a version has the configuration's", () =>
    expect(parse({ prevResult: { ips: [{ address: '10.0.0.1/24' }] } }).prevResult?.ips).toHaveLength(1));
  it('valid attachments are read', () =>
    expect(parse({ 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] }).validAttachments).toEqual([
      { containerId: 'c1', interfaceName: 'eth0' },
    ]));
  it('the configuration is kept unchanged, unknown keys too', () => {
    const raw = netconf({ runtimeConfig: { ips: ['10.0.0.9'] }, surprise: [1] });
    expect(parseRaw(raw).raw).toBe(raw);
  });
});

describe('what cannot be used', () => {
  const refuses = (overrides: Overrides, key: string, code = 7) =>
    it(`${JSON.stringify(overrides).slice(0, 80)} names ${key}`, () => {
      const error = cniFailure(() => parse(overrides));
      expect(error.code).toBe(code);
      expect(error.message).toContain(`"${key}"`);
      expect(error.message.length).toBeLessThan(500);
    });

  refuses({ name: undefined }, 'name');
  refuses({ name: '' }, 'name');
  refuses({ name: '../x' }, 'name');
  refuses({ name: 5 }, 'name');
  refuses({ name: 'x'.repeat(10_000) }, 'name');
  refuses({ type: undefined }, 'type');
  refuses({ cniVersion: 1 }, 'cniVersion');
  for (const mtu of [-1, 1, 67, 65536, 1500.5, Infinity, '1500', true, [], {}]) refuses({ mtu }, 'mtu');
  refuses({ num_queues: 4097 }, 'num_queues');
  refuses({ nodename: 'Node' }, 'nodename');
  refuses({ nodename: '__KUBERNETES_NODE_NAME__' }, 'nodename');
  refuses({ nodename_file: 'a\u0000b' }, 'nodename_file');
  refuses({ nodename_file_optional: 'true' }, 'nodename_file_optional');
  refuses({ kubernetes: 'x' }, 'kubernetes');
  refuses({ kubernetes: { kubeconfig: ['/k'] } }, 'kubernetes.kubeconfig');
  refuses({ kubernetes: { k8s_api_root: '10.0.0.1:6443' } }, 'kubernetes.k8s_api_root');
  refuses({ kubernetes: { node_name: '../x' } }, 'kubernetes.node_name');
  refuses({ log_level: 3 }, 'log_level');
  refuses({ log_file_max_size: -1 }, 'log_file_max_size');
  refuses({ container_settings: { allow_ip_forwarding: 1 } }, 'container_settings.allow_ip_forwarding');
  refuses({ readiness_gates: 'http://a' }, 'readiness_gates');
  refuses({ readiness_gates: ['http://a', 'file:///etc/passwd'] }, 'readiness_gates[1]');
  refuses({ policy_setup_timeout_seconds: -1 }, 'policy_setup_timeout_seconds');
  refuses({ budgets: { add_api_ms: -5 } }, 'budgets.add_api_ms');
  refuses({ budgets: { add_api_ms: '4s' } }, 'budgets.add_api_ms');
  refuses({ ipam: undefined }, 'ipam');
  refuses({ ipam: [] }, 'ipam');
  refuses({ ipam: {} }, 'ipam.type');
  refuses({ ipam: { type: '../../bin/sh' } }, 'ipam.type');
  refuses({ ipam: { type: '/bin/sh' } }, 'ipam.type');
  refuses({ dns: { search: 'x' } }, 'dns.search');
  refuses({ prevResult: [] }, 'prevResult');
  refuses({ prevResult: { ips: [{ address: 'x' }] } }, 'ips[0].address');
  refuses({ 'cni.dev/valid-attachments': ['c1'] }, 'cni.dev/valid-attachments[0]');

  it('says what is expected, what was found and what to do', () =>
    expect(cniFailure(() => parse({ mtu: '1500' })).message).toBe(
      '"mtu" in the network configuration: expected a whole number from 68 to 65535, got the string "1500"; ' +
        'correct it in its file, on most nodes below /etc/cni/net.d',
    ));
  it.each([
    { k8s_auth_token: 's3cr3t\n' },
    { k8s_auth_token: ['s3cr3t'] },
    { k8s_client_key: 's3cr3t\n' },
    's3cr3t',
    ['s3cr3t'],
  ])('a secret is not quoted: %j', (policy) => {
    const { message, details, cause } = cniFailure(() => parse({ policy }));
    expect(`${message}${details}${String(cause)}`).not.toContain('s3cr3t');
    expect(message).toContain('"policy');
  });
});

describe('with errors reported', () => {
  const parseAndReport = (overrides: Overrides) => {
    const reported: Error[] = [];
    const config = parseRaw(netconf(overrides), { FELIX_INTERFACEPREFIX: 'calico' }, (error) => reported.push(error));
    return { config, reported };
  };

  it('each of them gets its default, and the rest is read', () => {
    const { config, reported } = parseAndReport({
      mtu: 'x',
      kubernetes: 5,
      prevResult: { ips: 'x' },
      log_file_path: '/l',
    });
    expect(config).toMatchObject({
      mtuBytes: undefined,
      prevResult: undefined,
      hostInterfacePrefix: 'cali',
      log: { filePath: '/l' },
    });
    expect(reported).toHaveLength(4);
  });
  it.each([{ name: '' }, { type: 5 }, { ipam: {} }, { ipam: 'x' }, { cniVersion: '9.9.9' }])(
    '%j throws all the same',
    (overrides) => expect([1, 7]).toContain(cniFailure(() => parseAndReport(overrides)).code),
  );
});

describe('parseNetworkHeader', () => {
  it('reads name and version, and keeps the rest', () => {
    const raw = { name: 'n', mtu: 'x' };
    expect(parseNetworkHeader(raw)).toEqual({ name: 'n', cniVersion: '0.1.0', raw });
  });
  it('a missing name is code 7, also beside an unsupported version', () =>
    expect(cniFailure(() => parseNetworkHeader({ cniVersion: '9.9.9' })).code).toBe(7));
  it('an unsupported version is code 1', () =>
    expect(cniFailure(() => parseNetworkHeader({ name: 'n', cniVersion: '9.9.9' })).code).toBe(1));
});

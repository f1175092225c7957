import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import { makeSandbox, type Sandbox } from '../lab/namespaces/network-namespace.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import type { NodeState } from '../support/nodes/node-state.ts';
import { useForAllTests } from '../support/suite/hooks.ts';

let node: LoopbackNode;
let sandbox: Sandbox;
let before: NodeState;
useForAllTests(async () => (node = await startLoopbackNode()));
useForAllTests(async () => (sandbox = await makeSandbox()));
beforeAll(async () => {
  before = await node.state();
});

interface Refusal {
  readonly code: number;
  readonly message: RegExp;
}

/** Runs an ADD that is valid except for this configuration, and checks that it is rejected and changes nothing. */
async function expectRejected(config: string | Uint8Array | JsonObject, { code, message }: Refusal): Promise<void> {
  const requests = node.api.requests.length;
  const { exitCode, answer, stderr } = await node.run({ verb: 'ADD', sandboxPath: sandbox.path, config });
  expect({ exitCode, code: answer?.['code'], stderr: stderr.includes('    at ') }).toEqual({
    exitCode: 1,
    code,
    stderr: false,
  });
  expect(answer?.['msg']).toMatch(message);
  expect(JSON.stringify(answer).length).toBeLessThan(2000);
  expect(node.api.requests).toHaveLength(requests);
  expect(await sandbox.ip('link', 'show')).toHaveLength(1);
  expect(await node.state()).toEqual(before);
}

describe('standard input that is not a network configuration', () => {
  const isCode6 = (why: string, stdin: string | Uint8Array, message: RegExp) =>
    it(why, () => expect(expectRejected(stdin, { code: 6, message })).resolves.toBeUndefined());
  isCode6('empty', '', /is empty/);
  isCode6('white space', ' \n\t ', /is empty/);
  isCode6('not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), /not UTF-8/);
  isCode6('UTF-16', Buffer.from(JSON.stringify({ name: 'a' }), 'utf16le'), /JSON/);
  isCode6('50 MB', Buffer.alloc(50 * 1024 * 1024, ' '), /larger than 16777216 bytes/);
  isCode6(
    '50 MB of a JSON string',
    Buffer.from(`{"name":"${'a'.repeat(50 * 1024 * 1024)}"}`),
    /larger than 16777216 bytes/,
  );
  isCode6('lists nested 100,000 deep', '['.repeat(100_000), /nested deeper than 200/);
  isCode6('objects nested 100,000 deep', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, /nested deeper than 200/);
  isCode6('a JSON string', '"podwire"', /but not an object/);
  isCode6('a list', '[]', /but not an object/);
  isCode6('null', 'null', /but not an object/);
  isCode6('cut in the middle', '{"cniVersion":"1.0.0","name":"a', /not valid JSON/);
  isCode6('two objects', '{"name":"a"}{"name":"b"}', /not valid JSON/);
  isCode6('a comment', '{"name":"a"} // b', /not valid JSON/);
  isCode6('HTML', '<html></html>', /not valid JSON/);
});

const isCode7 = (why: string, overrides: JsonObject, message: RegExp) =>
  it(why, () => expect(expectRejected(node.netconf(overrides), { code: 7, message })).resolves.toBeUndefined());

describe('a key of the wrong type is code 7 that names the key, its value and the expected type', () => {
  const TABLE: readonly (readonly [key: string, value: JsonValue, message: RegExp])[] = [
    ['name', 5, /"name" .*: expected a name.*, got the number 5/],
    ['name', 'a/b', /"name" .*: expected a name.*, got the string "a\/b"/],
    ['type', 5, /"type" .*: expected the file name.*, got the number 5/],
    ['type', '../podwire', /"type" .*: .*, got the string "\.\.\/podwire"/],
    ['require_mtu_file', 'true', /"require_mtu_file" .*: expected true or false.*, got the string "true"/],
    ['num_queues', '4', /"num_queues" .*: expected a whole number from 1.*, got the string "4"/],
    ['nodename', ['a'], /"nodename" .*: expected the name of a node.*, got a list/],
    ['nodename', 'Node_1', /"nodename" .*: expected the name of a node.*, got the string "Node_1"/],
    ['nodename_file', 7, /"nodename_file" .*: expected a string.*, got the number 7/],
    ['nodename_file', '/a\u0000b', /"nodename_file" .*\\u0000/],
    ['nodename_file_optional', 1, /"nodename_file_optional" .*: expected true or false.*, got the number 1/],
    ['datastore_type', {}, /"datastore_type" .*: expected a string.*, got an object/],
    ['kubernetes', 'kubeconfig', /"kubernetes" .*: expected an object, got a string/],
    ['kubernetes', { kubeconfig: 5 }, /"kubernetes.kubeconfig" .*: expected a string.*, got the number 5/],
    ['kubernetes', { node_name: 'a b' }, /"kubernetes.node_name" .*: expected the name.*, got the string "a b"/],
    [
      'kubernetes',
      { k8s_api_root: 'ftp://a' },
      /"kubernetes.k8s_api_root" .*: expected an http.*, got the string "ftp:\/\/a"/,
    ],
    ['policy', [], /"policy" .*: expected an object.*, got a list/],
    ['policy', { k8s_auth_token: 5 }, /"policy.k8s_auth_token" .*: expected a string.*, got a number/],
    ['policy', { k8s_client_key: {} }, /"policy.k8s_client_key" .*: expected a string.*, got an object/],
    ['log_level', 3, /"log_level" .*: expected a string.*, got the number 3/],
    ['log_file_path', true, /"log_file_path" .*: expected a string.*, got true/],
    ['log_file_max_size', '100', /"log_file_max_size" .*: expected a whole number.*, got the string "100"/],
    ['log_file_max_age', -1, /"log_file_max_age" .*: expected a whole number.*, got the number -1/],
    ['log_file_max_count', 1.5, /"log_file_max_count" .*: expected a whole number.*, got the number 1.5/],
    ['feature_control', 'all', /"feature_control" .*: expected an object, got a string/],
    [
      'feature_control',
      { floating_ips: 'yes' },
      /"feature_control.floating_ips" .*: expected true.*, got the string "yes"/,
    ],
    ['container_settings', 5, /"container_settings" .*: expected an object.*, got a number/],
    ['container_settings', { allow_ip_forwarding: 1 }, /"container_settings.allow_ip_forwarding" .*, got the number 1/],
    ['include_default_routes', 'no', /"include_default_routes" .*: expected true.*, got the string "no"/],
    ['readiness_gates', 'http://a', /"readiness_gates" .*: expected a list, got a string/],
    ['readiness_gates', [5], /"readiness_gates\[0\]" .*: expected an http.*, got the number 5/],
    ['policy_setup_timeout_seconds', '5', /"policy_setup_timeout_seconds" .*: expected a whole.*, got the string "5"/],
    ['endpoint_status_dir', 5, /"endpoint_status_dir" .*: expected a string.*, got the number 5/],
    ['budgets', 5, /"budgets" .*: expected an object.*, got a number/],
    ['budgets', { delegate_ms: '1s' }, /"budgets.delegate_ms" .*: expected a whole number.*, got the string "1s"/],
    ['dns', 'none', /"dns" .*: expected an object, got a string/],
    ['dns', { nameservers: '1.1.1.1' }, /"dns.nameservers" .*: expected a list, got a string/],
    ['prevResult', 'x', /"prevResult" .*: expected an object, got a string/],
    [
      'prevResult',
      { ips: [{ address: '10.0.0.1' }] },
      /"ips\[0\].address" in prevResult: .*, got the string "10.0.0.1"/,
    ],
    ['cni.dev/valid-attachments', 'x', /"cni.dev\/valid-attachments" .*: expected a list, got a string/],
  ];
  for (const [key, value, message] of TABLE) isCode7(`${key}: ${JSON.stringify(value)}`, { [key]: value }, message);

  it('ipam: a string', () =>
    expect(
      expectRejected(
        { ...node.netconf(), ipam: 'x' },
        { code: 7, message: /"ipam" .*: expected an object, got a string/ },
      ),
    ).resolves.toBeUndefined());
  isCode7(
    'ipam.type: a path',
    { ipam: { type: '../../bin/sh' } },
    /"ipam.type" .*, got the string "\.\.\/\.\.\/bin\/sh"/,
  );
  isCode7('ipam.type: a number', { ipam: { type: 5 } }, /"ipam.type" .*: expected the file name.*, got the number 5/);
  it('a name of 10,000 characters', () =>
    expect(
      expectRejected(node.netconf({ name: 'a'.repeat(10_000) }), { code: 7, message: /"a{64}…"/ }),
    ).resolves.toBeUndefined());
  it('a name with ../', () =>
    expect(
      expectRejected(node.netconf({ name: '../../etc' }), { code: 7, message: /"name"/ }),
    ).resolves.toBeUndefined());
  it('a name with a terminal escape', () =>
    expect(
      expectRejected(node.netconf({ name: 'a\u001b[2J' }), { code: 7, message: /\\u001b\[2J/ }),
    ).resolves.toBeUndefined());
});

describe('mtu', () => {
  const wrong = (value: JsonValue, found: string) =>
    isCode7(
      JSON.stringify(value),
      { mtu: value },
      new RegExp(`"mtu" .*: expected a whole number from 68 to 65535, got ${found}`),
    );
  wrong(67, 'the number 67');
  wrong(65536, 'the number 65536');
  wrong(-1, 'the number -1');
  wrong(1500.5, 'the number 1500.5');
  wrong('1500', 'the string "1500"');
  wrong([1500], 'a list');
  wrong(true, 'true');

  const attaches = (text: string, mtu: number) =>
    it(`${text} is ${mtu}`, async () => {
      const onlyIpv4 = node.netconf({ ipam: { ranges: [[{ subnet: 'usePodCidr' }]] } });
      const config = JSON.stringify(onlyIpv4).replace('{', `{"mtu":${text},`);
      await using own = await makeSandbox();
      expect(await node.run({ verb: 'ADD', sandboxPath: own.path, config })).toMatchObject({ exitCode: 0, stderr: '' });
      expect(await own.ip('link', 'show', 'dev', 'eth0')).toMatchObject([{ mtu }]);
      expect(await node.run({ verb: 'DEL', sandboxPath: own.path, config })).toMatchObject({ exitCode: 0, stdout: '' });
      expect(await node.state()).toEqual(before);
    });
  attaches('68', 68);
  attaches('1e3', 1000);
  attaches('65535', 65535);
  attaches('0', 1500);
});

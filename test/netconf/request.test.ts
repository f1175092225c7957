import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';
import type { Environment } from '../../src/cni/environment.ts';
import type { JsonObject } from '../../src/json/json.ts';
import { parseRequest, requestCniVersion, type RequestInput } from '../../src/netconf/request.ts';
import { requestInput } from '../support/builders/request.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';
import { netconf } from '../lab/netconf.ts';

const RUNS = Number(process.env['PODWIRE_FUZZ_RUNS'] ?? 5000);

describe('parseRequest', () => {
  it.each(['ADD', 'CHECK'])('reads %s', (verb) =>
    expect(parseRequest(requestInput({ environment: { CNI_COMMAND: verb } }))).toMatchObject({
      verb,
      id: { containerId: 'c1', interfaceName: 'eth0' },
      sandboxPath: '/var/run/netns/pod',
      args: { pod: { namespace: 'default', name: 'web-0' } },
      pluginPath: ['/opt/cni/bin'],
      mayUseOwnNetns: false,
      config: { name: 'k8s-pod-network', delegateType: 'host-local' },
    }),
  );
  it('reads DEL without its sandbox', () =>
    expect(parseRequest(requestInput({ environment: { CNI_COMMAND: 'DEL', CNI_NETNS: '' } }))).toMatchObject({
      verb: 'DEL',
      sandboxPath: undefined,
      ignored: [],
    }));
  it.each(['GC', 'STATUS'])('reads %s, whose other variables are empty', (verb) =>
    expect(
      parseRequest(
        requestInput({
          environment: { CNI_COMMAND: verb, CNI_CONTAINERID: '', CNI_NETNS: '', CNI_IFNAME: '' },
          config: netconf({ cniVersion: '1.1.0' }),
        }),
      ),
    ).toMatchObject({ verb, pluginPath: ['/opt/cni/bin'], config: { cniVersion: '1.1.0' } }),
  );
  it('reads VERSION without a configuration', () =>
    expect(parseRequest({ environment: { CNI_COMMAND: 'VERSION' }, stdin: new Uint8Array() })).toEqual({
      verb: 'VERSION',
      cniVersion: '1.1.0',
    }));
  it('VERSION echoes the requested version', () =>
    expect(
      parseRequest(requestInput({ environment: { CNI_COMMAND: 'VERSION' }, stdin: '{"cniVersion":"0.4.0"}' })),
    ).toEqual({
      verb: 'VERSION',
      cniVersion: '0.4.0',
    }));

  it('CNI_PATH is a list of folders, empty ones left out', () =>
    expect(parseRequest(requestInput({ environment: { CNI_PATH: '/a::/b:' } }))).toMatchObject({
      pluginPath: ['/a', '/b'],
    }));
  it.each(['1', 'TRUE', 'true'])('CNI_NETNS_OVERRIDE %s allows our own namespace', (given) =>
    expect(parseRequest(requestInput({ environment: { CNI_NETNS_OVERRIDE: given } }))).toMatchObject({
      mayUseOwnNetns: true,
    }),
  );
  it.each(['0', 'yes', ''])('CNI_NETNS_OVERRIDE %j does not', (given) =>
    expect(parseRequest(requestInput({ environment: { CNI_NETNS_OVERRIDE: given } }))).toMatchObject({
      mayUseOwnNetns: false,
    }),
  );
});

describe('of several faults the first in this order is reported', () => {
  // Each row corrects one fault of the row before.
  const rows: readonly [string, Environment, string | JsonObject, number, RegExp][] = [
    ['the container id', { CNI_CONTAINERID: '/', CNI_IFNAME: '/', CNI_NETNS: '' }, '', 4, /^CNI_CONTAINERID/],
    ['the interface name', { CNI_IFNAME: '/', CNI_NETNS: '' }, '', 4, /^CNI_IFNAME/],
    [
      'missing variables',
      { CNI_IFNAME: '', CNI_NETNS: '', CNI_ARGS: 'x' },
      '',
      4,
      /^required env variables \[CNI_NETNS,CNI_IFNAME\] missing$/,
    ],
    ['no text', { CNI_ARGS: 'x' }, '', 6, /standard input is empty/],
    ['no JSON', { CNI_ARGS: 'x' }, '{', 6, /not valid JSON/],
    ['not an object', { CNI_ARGS: 'x' }, '[]', 6, /not an object/],
    ['the name', { CNI_ARGS: 'x' }, { cniVersion: '9.9.9', mtu: 'x' }, 7, /"name" is missing/],
    ['the version', { CNI_ARGS: 'x' }, { name: 'n', cniVersion: '9.9.9', mtu: 'x' }, 1, /^incompatible CNI versions$/],
    [
      'the command',
      { CNI_COMMAND: 'UPDATE', CNI_ARGS: 'x' },
      { name: 'n', mtu: 'x' },
      4,
      /^unknown CNI_COMMAND: "UPDATE"$/,
    ],
    ['the configuration', { CNI_ARGS: 'x' }, netconf({ mtu: 'x' }), 7, /"mtu"/],
    ['CNI_ARGS', { CNI_ARGS: 'x' }, netconf(), 4, /^CNI_ARGS/],
  ];
  it.each(rows)('%s', (_fault, environment, config, code, message) => {
    const stdin = typeof config === 'string' ? config : JSON.stringify(config);
    const error = cniFailure(() => parseRequest(requestInput({ environment, stdin })));
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it('the version comes before an unknown command', () =>
    expect(
      cniFailure(() =>
        parseRequest(
          requestInput({ environment: { CNI_COMMAND: 'UPDATE' }, stdin: '{"name":"n","cniVersion":"9.9.9"}' }),
        ),
      ).code,
    ).toBe(1));
  it('no command at all is a missing variable', () =>
    expect(cniFailure(() => parseRequest({ environment: {}, stdin: new Uint8Array() }))).toMatchObject({
      code: 4,
      message: 'required env variables [CNI_COMMAND] missing',
    }));
});

describe('a verb that is newer than the configuration', () => {
  it.each([
    ['CHECK', '0.3.1'],
    ['CHECK', undefined],
    ['GC', '1.0.0'],
    ['STATUS', '0.4.0'],
  ])('%s with %s is refused with code 1', (verb, cniVersion) =>
    expect(
      cniFailure(() =>
        parseRequest(requestInput({ environment: { CNI_COMMAND: verb }, config: netconf({ cniVersion }) })),
      ),
    ).toMatchObject({ code: 1, message: `config version does not allow ${verb}` }),
  );
  it('CHECK with 0.4.0 is accepted', () =>
    expect(
      parseRequest(requestInput({ environment: { CNI_COMMAND: 'CHECK' }, config: netconf({ cniVersion: '0.4.0' }) }))
        .verb,
    ).toBe('CHECK'));
  it.each(['ADD', 'DEL'])('%s without a version is accepted', (verb) =>
    expect(
      parseRequest(requestInput({ environment: { CNI_COMMAND: verb }, config: netconf({ cniVersion: undefined }) })),
    ).toMatchObject({ verb, config: { cniVersion: '0.1.0' } }),
  );
});

describe('DEL continues without invalid values, and warns', () => {
  const del = (overrides: JsonObject, environment: Environment = {}) =>
    parseRequest(requestInput({ environment: { CNI_COMMAND: 'DEL', ...environment }, config: netconf(overrides) }));

  it('a setting', () =>
    expect(del({ mtu: 'x' })).toMatchObject({ verb: 'DEL', ignored: [expect.stringContaining('"mtu"')] }));
  it('a prevResult', () =>
    expect(del({ prevResult: { ips: 5 } })).toMatchObject({
      config: { prevResult: undefined },
      ignored: [expect.anything()],
    }));
  it('CNI_ARGS, which the delegate could not read either', () =>
    expect(del({}, { CNI_ARGS: 'x' })).toMatchObject({
      args: { pod: undefined, raw: '' },
      ignored: [expect.stringContaining('CNI_ARGS')],
    }));
  it('each once', () =>
    expect(del({ kubernetes: 5, policy: 5 })).toMatchObject({ ignored: [expect.anything(), expect.anything()] }));
  it('but not without the network, its delegate or its attachment', () => {
    expect(cniFailure(() => del({ ipam: {} })).code).toBe(7);
    expect(cniFailure(() => del({ name: '' })).code).toBe(7);
    expect(cniFailure(() => del({}, { CNI_CONTAINERID: '' })).code).toBe(4);
  });
});

describe('requestCniVersion', () => {
  const version = (text: string) => requestCniVersion({ stdin: new TextEncoder().encode(text) });
  it.each(['0.1.0', '1.0.0', '1.1.0', '9.9.9', '1.1'])('%s is the version of the request', (cniVersion) =>
    expect(version(JSON.stringify({ cniVersion }))).toBe(cniVersion),
  );
  it.each([
    '',
    '{',
    '[]',
    'null',
    '{}',
    '{"cniVersion":1}',
    '{"cniVersion":""}',
    '{"cniVersion":"<script>"}',
    `{"cniVersion":"${'1'.repeat(99)}"}`,
  ])('1.1.0 replaces a version that cannot be read: %s', (text) => expect(version(text)).toBe('1.1.0'));
});

describe('any input', () => {
  const CODES: readonly number[] = Object.values(ERROR_CODE);
  const VERBS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION', 'UPDATE', ''];
  const VARIABLES = [
    'CNI_CONTAINERID',
    'CNI_NETNS',
    'CNI_IFNAME',
    'CNI_ARGS',
    'CNI_PATH',
    'CNI_NETNS_OVERRIDE',
    'FELIX_INTERFACEPREFIX',
  ];
  const KEYS = [
    'cniVersion',
    'name',
    'type',
    'mtu',
    'num_queues',
    'nodename',
    'log_level',
    'policy',
    'kubernetes',
    'ipam',
    'dns',
    'prevResult',
    'readiness_gates',
    'budgets',
    'cni.dev/valid-attachments',
    '__proto__',
    'constructor',
    'runtimeConfig',
    'feature_control',
  ];
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('', 'c1', 'eth0', '/x', 'IgnoreUnknown=1', '../', '%d', ';;', '='),
  );
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 67, '', '1.1.0', 'usePodCidr', '../x', null));
  const overrides = fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4 });
  const command = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...VERBS) }, { weight: 1, arbitrary: text });
  const environment = fc.dictionary(fc.constantFrom(...VARIABLES), text, { maxKeys: 3 });
  const stdin = fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
    { weight: 1, arbitrary: fc.json().map(utf8) },
    { weight: 4, arbitrary: overrides.map((members) => utf8(JSON.stringify({ ...netconf(), ...members }))) },
  );
  const isFine = (input: RequestInput): boolean => {
    try {
      return /^[0-9.]{1,17}$/.test(requestCniVersion(input)) && JSON.stringify(parseRequest(input)).startsWith('{');
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      // containerd treats a failed DEL whose message has these words as a success.
      return CODES.includes(error.code) && error.message.length < 1000 && !error.message.includes('not found');
    }
  };

  it('gives a request or an error of the table', { timeout: 3_600_000 }, () => {
    const property = fc.property(environment, command, stdin, (given, verb, bytes) =>
      isFine({ environment: { ...given, CNI_COMMAND: verb }, stdin: bytes }),
    );
    expect(() => fc.assert(property, { numRuns: RUNS })).not.toThrow();
  });

  it('in a valid request gives a request or an error of the table', { timeout: 3_600_000 }, () => {
    const { environment: valid } = requestInput();
    const property = fc.property(environment, command, stdin, (given, verb, bytes) =>
      isFine({ environment: { ...valid, ...given, CNI_COMMAND: verb }, stdin: bytes }),
    );
    expect(() => fc.assert(property, { numRuns: RUNS })).not.toThrow();
  });

  it.each([
    ['1 MB of a', 'a'.repeat(1e6)],
    ['1 MB of a-', 'a-'.repeat(500_000)],
    ['1 MB of ;', ';'.repeat(1e6)],
    ['1 MB of dots', '.'.repeat(1e6)],
    ['1 MB of colons', ':'.repeat(1e6)],
    ['1 MB of blanks', ' '.repeat(1e6)],
  ])('%s in any one place is answered', (_name, long) => {
    const requests = [
      ...VARIABLES.map((name) => requestInput({ environment: { [name]: long } })),
      ...KEYS.map((key) => requestInput({ config: netconf({ [key]: long }) })),
      requestInput({ config: netconf({ ipam: { type: long } }) }),
      requestInput({ config: netconf({ readiness_gates: [`http://${long}`] }) }),
      requestInput({ config: netconf({ prevResult: { ips: [{ address: `${long}/8` }] } }) }),
    ];
    for (const request of requests) {
      expect(isFine(request)).toBe(true);
    }
  });
});

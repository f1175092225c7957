// Feeds the parsers what nobody would write: `npm run fuzz`, or `npm run fuzz -- CASES SEED` to repeat a run.
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { AddressError, parseIpAddress } from '../src/address/ip-address.ts';
import { formatCidr, parseCidr } from '../src/address/cidr.ts';
import { CniError, ERROR_CODE } from '../src/cni/error.ts';
import { isJsonObject, parseJson } from '../src/json/json.ts';
import { parseRequest } from '../src/netconf/request.ts';
import { formatResult, parseResult } from '../src/cni/result.ts';
import { SUPPORTED_VERSIONS } from '../src/cni/versions.ts';
import { MacAddressError, parseMacAddress } from '../src/address/mac-address.ts';
import { parsePodOverrides } from '../src/plan/pod-overrides.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const [cases = 1_000_000, seed = Date.now() % 2 ** 31] = positionals.map(Number);
const codes: readonly number[] = Object.values(ERROR_CODE).filter((code) => code !== ERROR_CODE.internal);

const text = fc.string({ unit: 'binary', maxLength: 60 });
const addressLike = fc.stringMatching(/^[0-9a-f:.%/]{0,45}$/);
const key = fc.oneof(
  fc.constantFrom(
    'cniVersion',
    'name',
    'type',
    'ipam',
    'mtu',
    'dns',
    'ips',
    'address',
    'routes',
    'dst',
    'interfaces',
    '__proto__',
  ),
  text,
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.oneof(
      fc.constantFrom(...SUPPORTED_VERSIONS, 'host-local'),
      text,
      addressLike,
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6 }),
  ),
}));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  json.map((value) => Buffer.from(JSON.stringify(value))),
);
const variable = (...ordinary: readonly string[]) => fc.oneof(fc.constantFrom(...ordinary), text, addressLike);
const environment = fc.record({
  CNI_COMMAND: variable('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'),
  CNI_CONTAINERID: variable('c1'),
  CNI_NETNS: variable('/run/netns/a'),
  CNI_IFNAME: variable('eth0'),
  CNI_ARGS: variable('IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=b'),
  CNI_PATH: variable('/opt/cni/bin'),
  FELIX_INTERFACEPREFIX: variable('cali'),
});

const TARGETS: Readonly<Record<string, fc.IRawProperty<unknown>>> = {
  request: fc.property(environment, bytes, (given, stdin) =>
    refusesInOrder(() => parseRequest({ environment: given, stdin })),
  ),
  result: fc.property(json, fc.constantFrom(...SUPPORTED_VERSIONS), (value, version) =>
    refusesInOrder(() => {
      const parsed = parseJson(JSON.stringify(value));
      if (isJsonObject(parsed)) JSON.stringify(formatResult(parseResult(parsed), version));
    }),
  ),
  addresses: fc.property(fc.oneof(addressLike, text), (value) => {
    refusesInOrder(() => parseIpAddress(value));
    refusesInOrder(() => {
      const written = formatCidr(parseCidr(value));
      if (formatCidr(parseCidr(written)) !== written)
        throw new Error(`${value} becomes ${written}, which is not read alike`);
    });
    refusesInOrder(() => parseMacAddress(value));
  }),
  annotations: fc.property(json, text, (value, other) =>
    refusesInOrder(() =>
      parsePodOverrides(
        {
          'cni.projectcalico.org/hwAddr': other,
          'cni.projectcalico.org/floatingIPs': JSON.stringify(value),
          'cni.projectcalico.org/allowedSourcePrefixes': JSON.stringify(value),
        },
        { floatingIpsEnabled: true },
      ),
    ),
  ),
};

process.stderr.write(`fuzz: ${cases} cases of each parser, seed ${seed}\n`);
for (const [name, property] of Object.entries(TARGETS)) {
  const startedMs = performance.now();
  const report = await fc.check(property, { numRuns: cases, seed });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (report.failed) process.exitCode = 1;
  process.stdout.write(
    `${name}: ${report.failed ? fc.defaultReportMessage(report) : `${report.numRuns} cases hold`}, ${seconds} s\n`,
  );
}

/** Runs a parser, which may refuse in the ways that callers expect and in no other. */
function refusesInOrder(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (error instanceof AddressError || error instanceof MacAddressError) return;
    if (!(error instanceof CniError) || !codes.includes(error.code)) throw error;
  }
}

// npm run fuzz: feeds the parsers random input. They may reject it, but only with the errors that their callers expect.
import fc from 'fast-check';
import { AddressError, parseIpAddress } from '../src/address/ip-address.ts';
import { formatCidr, parseCidr } from '../src/address/cidr.ts';
import { MacAddressError, parseMacAddress } from '../src/address/mac-address.ts';
import { CniError, ERROR_CODE } from '../src/cni/error.ts';
import { formatResult, parseResult } from '../src/cni/result.ts';
import { SUPPORTED_VERSIONS } from '../src/cni/versions.ts';
import { isJsonObject, parseJson } from '../src/json/json.ts';
import { parseRequest } from '../src/netconf/request.ts';
import { parsePodOverrides } from '../src/plan/pod-overrides.ts';
import { runScript, UsageError } from './command-line/run-script.ts';
import { parseWholeNumber } from './command-line/whole-number.ts';

const USAGE = `usage: npm run fuzz -- [CASES [SEED]]

Feeds each parser CASES random inputs (1000000). The same SEED repeats a run.
`;

const EXPECTED_CODES: readonly number[] = Object.values(ERROR_CODE).filter((code) => code !== ERROR_CODE.internal);

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
const variable = (...valid: readonly string[]) => fc.oneof(fc.constantFrom(...valid), text, addressLike);
const environment = fc.record({
  CNI_COMMAND: variable('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'),
  CNI_CONTAINERID: variable('c1'),
  CNI_NETNS: variable('/run/netns/a'),
  CNI_IFNAME: variable('eth0'),
  CNI_ARGS: variable('IgnoreUnknown=1;K8S_POD_NAMESPACE=a;K8S_POD_NAME=b'),
  CNI_PATH: variable('/opt/cni/bin'),
  FELIX_INTERFACEPREFIX: variable('cali'),
});

const PROPERTIES: Readonly<Record<string, fc.IRawProperty<unknown>>> = {
  request: fc.property(environment, bytes, (variables, stdin) =>
    allowExpectedErrors(() => parseRequest({ environment: variables, stdin })),
  ),
  result: fc.property(json, fc.constantFrom(...SUPPORTED_VERSIONS), (value, version) =>
    allowExpectedErrors(() => {
      const parsed = parseJson(JSON.stringify(value));
      if (isJsonObject(parsed)) JSON.stringify(formatResult(parseResult(parsed), version));
    }),
  ),
  addresses: fc.property(fc.oneof(addressLike, text), (value) => {
    allowExpectedErrors(() => parseIpAddress(value));
    allowExpectedErrors(() => {
      const formatted = formatCidr(parseCidr(value));
      const again = formatCidr(parseCidr(formatted));
      if (again !== formatted) throw new Error(`${value} is formatted as ${formatted}, which is parsed as ${again}`);
    });
    allowExpectedErrors(() => parseMacAddress(value));
  }),
  annotations: fc.property(json, text, (value, hardwareAddress) =>
    allowExpectedErrors(() =>
      parsePodOverrides(
        {
          'cni.projectcalico.org/hwAddr': hardwareAddress,
          'cni.projectcalico.org/floatingIPs': JSON.stringify(value),
          'cni.projectcalico.org/allowedSourcePrefixes': JSON.stringify(value),
        },
        { floatingIpsEnabled: true },
      ),
    ),
  ),
};

await runScript({ name: 'fuzz', usage: USAGE, options: {}, allowPositionals: true }, async ({ positionals }) => {
  const [cases = '1000000', seed = String((Date.now() % 2 ** 31) + 1), ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`Unexpected argument '${rest.join(' ')}'`);
  await fuzz(parseWholeNumber('CASES', cases), parseWholeNumber('SEED', seed));
});

async function fuzz(cases: number, seed: number): Promise<void> {
  process.stderr.write(`fuzz: ${cases} cases for each parser, seed ${seed}\n`);
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const startedMs = performance.now();
    const report = await fc.check(property, { numRuns: cases, seed });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    if (report.failed) process.exitCode = 1;
    const outcome = report.failed ? fc.defaultReportMessage(report) : `${report.numRuns} cases passed`;
    process.stdout.write(`${name}: ${outcome}, ${seconds} s\n`);
  }
}

/** Runs a parser. An error that callers expect is fine; any other is thrown. */
function allowExpectedErrors(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (error instanceof AddressError || error instanceof MacAddressError) return;
    if (!(error instanceof CniError) || !EXPECTED_CODES.includes(error.code)) throw error;
  }
}

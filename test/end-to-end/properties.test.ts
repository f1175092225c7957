import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { startLoopbackNode, type LoopbackNode } from '../support/nodes/loopback-node.ts';
import { startExecutable, type EndedExecutable } from '../lab/run-executable.ts';
import type { NodeState } from '../support/nodes/node-state.ts';

const CASES = 2000;
const AT_ONCE = 4;
/** More than ten times as long as any run takes: only a run that hangs takes longer. */
const HANG_MS = 10_000;

interface Case {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Uint8Array;
}

let node: LoopbackNode;
let before: NodeState;
beforeAll(async () => {
  node = await startLoopbackNode();
  before = await node.state();
});
afterAll(() => node[Symbol.asyncDispose]());

// No environment variable can contain a NUL.
const text = fc
  .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme', maxLength: 300 }))
  .map((value) => value.toWellFormed().replaceAll('\0', ''));
const variable = (...ordinary: readonly string[]) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ordinary) },
    { weight: 3, arbitrary: text },
    { weight: 1, arbitrary: fc.constant(undefined) },
  );

const environments = fc.record({
  CNI_COMMAND: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION') },
    { weight: 1, arbitrary: text.filter((value) => value !== '') },
  ),
  CNI_CONTAINERID: variable('c1', ''),
  // No value is a sandbox, so that nothing can be attached.
  CNI_NETNS: variable('/run/nowhere', '/proc/self/ns/net', '/dev/null', ''),
  CNI_IFNAME: variable('eth0', ''),
  CNI_PATH: variable('/run/nowhere', '/run:/dev/null', ''),
  CNI_ARGS: variable('IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web', 'IgnoreUnknown=1', ''),
  CNI_NETNS_OVERRIDE: fc.constantFrom(undefined, '', '0'),
  FELIX_INTERFACEPREFIX: variable('cali', 'eni,cali', ''),
});

// No path can be created, and every server refuses connections. Other tests use valid values.
const KEYS = [
  'mtu',
  'num_queues',
  'nodename',
  'kubernetes',
  'policy',
  'log_level',
  'feature_control',
  'container_settings',
  'dns',
  'prevResult',
  'runtimeConfig',
  'args',
  'budgets',
  'datastore_type',
  'cni.dev/valid-attachments',
  'policy_setup_timeout_seconds',
  'ipam',
  '__proto__',
  'constructor',
  'toString',
] as const;
const value = fc.jsonValue({ maxDepth: 3 });
const netconfs = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...KEYS), value),
    fc.constantFrom('0.1.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0', '2.0.0'),
    fc.boolean(),
  )
  .map(([overrides, cniVersion, isWhole]) => ({
    ...(isWhole && {
      name: 'net',
      type: 'podwire',
      ipam: { type: 'host-local', subnet: 'usePodCidr' },
      kubernetes: { k8s_api_root: 'http://127.0.0.1:1' },
    }),
    cniVersion,
    ...overrides,
  }));
const stdins = fc.oneof(
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 2000 }) },
  { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  { weight: 6, arbitrary: netconfs.map((netconf) => Buffer.from(JSON.stringify(netconf))) },
  {
    weight: 2,
    arbitrary: fc.tuple(netconfs, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([netconf, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(netconf));
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  },
);
const cases: fc.Arbitrary<Case> = fc.record({ environment: environments, stdin: stdins });

const CODES: ReadonlySet<number> = new Set(Object.values(ERROR_CODE).filter((code) => code !== ERROR_CODE.internal));

it('any bytes on stdin and any CNI_* give a documented code, JSON and the matching exit status, and change nothing', async () => {
  const run = async ({ environment, stdin }: Case): Promise<void> => {
    expectProtocol(
      environment['CNI_COMMAND'] ?? '',
      await startExecutable({ environment, stdin, directory: node.folder }).ended,
    );
  };
  const batches = fc.array(cases, { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(batches, async (batch) => void (await Promise.all(batch.map(run)))),
    { numRuns: CASES / AT_ONCE },
  );
  expect(await node.state()).toEqual(before);
}, 600_000);

function expectProtocol(
  command: string,
  { exitCode, signal, stdout, stderr, answer, durationMs }: EndedExecutable,
): void {
  expect(signal).toBeNull();
  expect(durationMs).toBeLessThan(HANG_MS);
  expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|not found/i);
  if (exitCode === 0) {
    if (command === 'VERSION') expect(answer).toMatchObject({ supportedVersions: expect.arrayContaining(['1.1.0']) });
    else expect({ stdout, command }).toEqual({ stdout: '', command: expect.stringMatching(/^(DEL|GC|STATUS|CHECK)$/) });
    return;
  }
  expect(exitCode).toBe(1);
  expect(answer).toMatchObject({
    cniVersion: expect.any(String),
    code: expect.any(Number),
    msg: expect.stringMatching(/./),
  });
  expect(CODES).toContain(answer?.['code']);
}

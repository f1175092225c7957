import { readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { recordFigure } from '../support/suite/reliability-figure.ts';
import { makeTestPod, type TestPod } from '../support/nodes/test-pod.ts';
import { until } from '../lab/until.ts';
import { recordNames } from '../support/nodes/node-state.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';
import { EXECUTABLE, startExecutable, type EndedExecutable } from '../lab/run-executable.ts';
import { addressesIn } from '../lab/result-addresses.ts';
import { runtimeEnvironment } from '../lab/runtime-call.ts';

const PODS = 300;
const PREPARED_AT_ONCE = 12;
const STORM_MS = 240_000;
const MAX_OWN_MB = 40;
const MAX_MB = 70;

let node: ApiServerNode;
let pods: readonly TestPod[];
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  node = stack.use(await startApiServerNode({ podCIDRs: ['10.71.0.0/22', 'fd71::/64'] }));
  const made: TestPod[] = [];
  let next = 0;
  const makePods = async (): Promise<void> => {
    for (let index = next++; index < PODS; index = next++) {
      made.push(stack.use(await makeTestPod(node, { name: `storm-${index}` })));
    }
  };
  await Promise.all(Array.from({ length: PREPARED_AT_ONCE }, makePods));
  pods = made;
}, STORM_MS);
afterAll(() => stack.disposeAsync(), STORM_MS);

const config = () => node.netconf({ ipam: { ranges: [[{ subnet: 'usePodCidrIPv6' }]] } });
const failures = (answers: readonly EndedExecutable[]) =>
  answers.filter(({ exitCode }) => exitCode !== 0).map(({ answer, stderr }) => answer?.['msg'] ?? stderr);
const allAtOnce = (verb: 'ADD' | 'DEL') =>
  Promise.all(pods.map(({ call }) => node.run({ ...call, verb, config: config() })));
const endpoints = async () =>
  (await Promise.all(pods.map((pod) => pod.annotations()))).map(
    (annotations) => annotations['cni.projectcalico.org/podIPs'],
  );

describe(`${PODS} pods of one node`, () => {
  it(
    'attached all at once get an address each, and detached all at once leave nothing',
    { timeout: STORM_MS },
    async ({ task }) => {
      const before = await node.state();
      const added = await allAtOnce('ADD');
      const addresses = added.map(({ answer }) => addressesIn(answer));
      const written = await endpoints();
      const deleted = await allAtOnce('DEL');
      expect(failures(added)).toEqual([]);
      expect(failures(deleted)).toEqual([]);
      expect(deleted.map(({ stderr }) => stderr).filter((stderr) => stderr !== '')).toEqual([]);
      expect(new Set(addresses.flat()).size).toBe(2 * PODS);
      expect(written).toEqual(addresses.map(([ipv4, ipv6]) => `${ipv4}/32,${ipv6}/128`));
      expect(new Set(await endpoints())).toEqual(new Set(['']));
      expect(await node.state()).toEqual(before);
      expect(await recordNames('k8s-pod-network')).toEqual([]);
      recordFigure(task, {
        fault: `${PODS} ADDs at once, then ${PODS} DELs at once`,
        promise: 'none fails, no address twice, nothing left',
        measured: `${added.length + deleted.length} commands, 0 failures, ${new Set(addresses.flat()).size} addresses, 0 left`,
      });
    },
  );

  it(`are attached with at most ${MAX_MB} MB for each ADD, ${MAX_OWN_MB} of them private`, async ({ task }) => {
    const [pod] = pods;
    if (pod === undefined) throw new Error('unreachable');
    const environment = runtimeEnvironment(node.call({ verb: 'ADD', ...pod.call, containerId: 'metered' }));
    // Only the result has not been printed: the ADD waits for an agent that reports nothing.
    const waiting = { ...config(), policy_setup_timeout_seconds: 60, endpoint_status_dir: '/run' };
    // How many pages the kernel reads ahead depends on how the file was written: a linker's output and a copy differ.
    const folder = await mkdtemp(join(tmpdir(), 'podwire-installed-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const executable = join(folder, 'podwire');
    await copyFile(EXECUTABLE, executable); // as `podwire install` does
    const { process: child, ended } = startExecutable({ environment, stdin: JSON.stringify(waiting), executable });
    await until(
      'the endpoint is written',
      async () => ((await pod.annotations())['cni.projectcalico.org/podIP'] ?? '') !== '',
    );
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const megabytes = (field: string) =>
      Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ exitCode: 1, answer: { code: 11 } });
    expect(megabytes('RssAnon')).toBeLessThan(MAX_OWN_MB);
    expect(megabytes('VmHWM')).toBeLessThan(MAX_MB);
    recordFigure(task, {
      fault: 'little memory',
      promise: `an ADD has at most ${MAX_MB} MB, ${MAX_OWN_MB} of them for itself`,
      measured: `${megabytes('VmHWM')} MB at most, ${megabytes('RssAnon')} of them its own; the rest is pages of the executable, which all share`,
    });
  });
});

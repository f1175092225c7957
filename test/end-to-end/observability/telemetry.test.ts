import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readTraces, type ReadTrace } from '../../../src/cli/read-trace.ts';
import { runExecutable } from '../../lab/run-executable.ts';
import { startApiServerNode, type ApiServerNode } from '../../support/nodes/api-server-node.ts';
import { attachPod, makeTestPod } from '../../support/nodes/test-pod.ts';
import { expectNoLeftovers } from '../../support/suite/hooks.ts';
import { asReadableSpans } from '../../telemetry/readable-spans.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

let node: ApiServerNode;
beforeAll(async () => {
  node = await startApiServerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
expectNoLeftovers(() => node);

let folder = '';
let tracePath = '';
beforeEach(async () => {
  folder = join(node.folder, 'telemetry');
  tracePath = join(folder, 'spans.jsonl');
  return () => rm(folder, { recursive: true, force: true });
});

const namesOf = (trace: ReadTrace | undefined) => trace?.spans.map(({ name }) => name);

describe('spans', () => {
  it('of ADD and DEL have a part for each thing that takes time, as OpenTelemetry writes them', async () => {
    await (await attachPod(node, { config: node.netconf({ trace_file: tracePath }) }))[Symbol.asyncDispose]();
    const text = await readFile(tracePath, 'utf8');
    const [add, del, ...others] = readTraces(text);
    expect(others).toEqual([]);
    expect(namesOf(add)).toEqual(
      expect.arrayContaining([
        'podwire ADD',
        'request',
        'GET nodes',
        'ipam ADD',
        'link',
        'addresses and routes',
        'endpoint',
        'PATCH pods/status',
      ]),
    );
    expect(namesOf(del)).toEqual(
      expect.arrayContaining(['podwire DEL', 'request', 'delete link', 'ipam DEL', 'endpoint', 'PATCH pods/status']),
    );
    for (const line of text.trimEnd().split('\n')) {
      const official = JsonTraceSerializer.serializeRequest(asReadableSpans(line)) ?? new Uint8Array();
      expect(JSON.parse(line)).toEqual(JSON.parse(Buffer.from(official).toString()));
    }
    const root = add?.spans.find(({ name }) => name === 'podwire ADD');
    for (const { beginNs, endNs, parentId } of add?.spans ?? []) {
      expect(beginNs >= (root?.beginNs ?? 0n) && endNs <= (root?.endNs ?? 0n) && endNs >= beginNs).toBe(true);
      expect(add?.spans.map(({ id }) => id).includes(parentId) || parentId === '').toBe(true);
    }
  });

  it('continue the trace of the runtime, also without a configuration', async () => {
    await using pod = await makeTestPod(node);
    const call = { ...pod.call, environment: { TRACEPARENT } };
    await rm('/var/log/podwire/traces.jsonl', { force: true });
    expect(await node.run({ ...call, verb: 'ADD' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stderr: '' });
    const traces = readTraces(await readFile('/var/log/podwire/traces.jsonl', 'utf8'));
    await rm('/var/log/podwire/traces.jsonl');
    expect(traces.map(({ traceId }) => traceId)).toEqual(['4bf92f3577b34da6a3ce929d0e0e4736']);
    expect(traces[0]?.spans.filter(({ parentId }) => parentId === '00f067aa0ba902b7').map(({ name }) => name)).toEqual([
      'podwire ADD',
      'podwire DEL',
    ]);
  });

  it('that cannot be written safely are a warning, and the pod gets its network', async () => {
    await mkdir(folder);
    await chmod(folder, 0o777);
    await using pod = await makeTestPod(node);
    const config = node.netconf({ trace_file: tracePath });
    expect(await node.run({ ...pod.call, config, verb: 'ADD' })).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/ WARNING the spans of this command are lost: .*users other than root can change/),
    });
    expect(await node.run({ ...pod.call, config, verb: 'DEL' })).toMatchObject({ exitCode: 0 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('are drawn by podwire trace', async () => {
    await (await attachPod(node, { config: node.netconf({ trace_file: tracePath }) }))[Symbol.asyncDispose]();
    const environment = { LANG: 'C.UTF-8' };
    const shown = await runExecutable({ args: ['trace', tracePath], environment });
    expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^DEL of default\/pod-1, [\d.]+ ms\n/);
    expect(shown.stdout).toMatch(/^ {2}ipam DEL +█+ +[\d.]+$/m);
    for (const line of shown.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const svgPath = join(folder, 'trace.svg');
    await runExecutable({ args: ['trace', tracePath, '--svg', svgPath], environment });
    expect(await readFile(svgPath, 'utf8')).toContain('ipam DEL');
  });
});

describe('a log of JSON', () => {
  const jq = async (path: string, filter: string) =>
    (await promisify(execFile)('jq', ['-c', filter, path])).stdout.trimEnd().split('\n');

  it('of many commands at once has one object in each line, which jq reads', async () => {
    const logPath = join(folder, 'cni.log');
    // A busy machine may take longer than a pod would wait.
    const budgets = { api_connect_ms: 20_000, api_request_ms: 20_000, add_api_ms: 20_000, del_api_ms: 20_000 };
    const config = node.netconf({ log_format: 'json', log_file_path: logPath, budgets });
    const names = Array.from({ length: 12 }, (_, index) => `storm-${index}`);
    await using pods = new AsyncDisposableStack();
    const made = [];
    for (const name of names) made.push(pods.use(await makeTestPod(node, { name })));
    for (const verb of ['ADD', 'DEL'] as const) {
      const ended = await Promise.all(made.map((pod) => node.run({ ...pod.call, config, verb })));
      expect(ended.map(({ exitCode }) => exitCode)).toEqual(names.map(() => 0));
    }
    expect((await jq(logPath, 'select(.command == "ADD" and .code == 0) | .pod')).toSorted()).toEqual(
      names.map((name) => `"default/${name}"`).toSorted(),
    );
    expect(await jq(logPath, 'select(.level == "info") | .network + " " + .interface')).toEqual(
      Array.from({ length: 24 }, () => '"k8s-pod-network eth0"'),
    );
    expect(new Set(await jq(logPath, '[.time, .duration, .message] | map(type)'))).toEqual(
      new Set(['["string","number","string"]']),
    );
  });

  it('has the code and the finding of a failure, and says its cause once', async () => {
    const logPath = join(folder, 'cni.log');
    const config = node.netconf({
      log_format: 'json',
      log_file_path: logPath,
      kubernetes: { k8s_api_root: 'https://127.0.0.1:1' },
      policy: { k8s_auth_token: 'a' },
    });
    await using pod = await makeTestPod(node);
    const { answer, stderr } = await node.run({ ...pod.call, config, verb: 'ADD', environment: { TRACEPARENT } });
    expect(await node.run({ ...pod.call, verb: 'DEL' })).toMatchObject({ exitCode: 0 });
    expect(answer).toMatchObject({ code: 11 });
    expect(answer).not.toHaveProperty('details');
    const [failure = ''] = await jq(logPath, 'select(.level == "error")');
    expect(JSON.parse(failure)).toMatchObject({
      command: 'ADD',
      code: 11,
      finding: 'PW201',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      message: expect.stringContaining('refuses connections (ECONNREFUSED)'),
    });
    expect(failure.match(/ECONNREFUSED/g)).toHaveLength(1);
    expect(stderr).toContain(failure);
    await rm('/var/log/podwire/traces.jsonl', { force: true });
  });
});

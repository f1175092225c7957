import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTraces } from '../../src/cli/read-trace.ts';
import { openTelemetry } from '../../src/telemetry/telemetry.ts';
import { makeFolder } from '../log/make-folder.ts';
import { networkConfig } from '../support/builders/network-config.ts';
import type { NetconfOverrides } from '../lab/netconf.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function open(settings: NetconfOverrides, environment: Readonly<Record<string, string>> = {}) {
  const lines: string[] = [];
  const stderr: string[] = [];
  const log = { info: (line: string) => void lines.push(line), warning: (line: string) => void lines.push(line) };
  const telemetry = openTelemetry({
    environment,
    config: networkConfig(settings),
    context: { command: 'ADD', container: 'c1', interface: 'eth0', pod: 'default/web' },
    podUid: 'u',
    writeStderr: (text) => void stderr.push(text),
  });
  return { telemetry, log, lines, stderr };
}

describe('a command', () => {
  it('with trace_file writes its spans, and those of its failure', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'spans.jsonl');
    const { telemetry, log } = open({ trace_file: path });
    telemetry.watch('delegate', { add: () => 1 }).add();
    telemetry.end(log, { code: 11, message: 'the API server is away', finding: 'PW201' });
    const [trace] = readTraces(readFileSync(path, 'utf8'));
    expect(trace?.spans.map(({ name }) => name)).toEqual(['podwire ADD', 'request', 'ipam ADD']);
    expect(trace?.spans[0]).toMatchObject({ parentId: '', error: 'the API server is away' });
    expect(Object.fromEntries(trace?.spans[0]?.attributes ?? [])).toMatchObject({
      'cni.code': '11',
      'k8s.namespace.name': 'default',
      'k8s.pod.name': 'web',
      'podwire.finding': 'PW201',
    });
  });

  it('continues the trace of its caller', () => {
    using folder = makeFolder();
    const path = join(folder.path, 'spans.jsonl');
    const { telemetry, log } = open({ trace_file: path }, { TRACEPARENT });
    telemetry.end(log, undefined);
    const [trace] = readTraces(readFileSync(path, 'utf8'));
    expect(trace).toMatchObject({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spans: [{ parentId: '00f067aa0ba902b7' }, { name: 'request' }],
    });
  });

  it('whose spans cannot be written warns, and does not fail', () => {
    const { telemetry, log, lines } = open({ trace_file: '/proc/self/none/spans.jsonl' });
    telemetry.end(log, undefined);
    expect(lines).toEqual([expect.stringContaining('the spans of this command are lost: cannot write /proc')]);
  });

  it('without either writes none', () => {
    using folder = makeFolder();
    const { telemetry, log } = open({ log_format: 'json' }, { TRACEPARENT: `${TRACEPARENT.slice(0, -2)}00` });
    expect(telemetry.spans).toBeUndefined();
    telemetry.end(log, undefined);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('with a log of JSON says that it succeeded', () => {
    const { telemetry, log, lines } = open({ log_format: 'json' });
    telemetry.end(log, undefined);
    expect(lines).toEqual(['ADD succeeded']);
    expect(telemetry.formatLine?.(new Date(0), 'info', 'x', {})).toContain('"network":"k8s-pod-network"');
  });

  it('with a log of text does not', () => {
    const { telemetry, log, lines } = open({}, { PODWIRE_TRACE: '1' });
    telemetry.end(log, undefined);
    expect({ lines, formatLine: telemetry.formatLine }).toEqual({ lines: [], formatLine: undefined });
  });
});

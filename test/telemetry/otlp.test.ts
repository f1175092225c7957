import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { expect, it } from 'vitest';
import { formatOtlp, type CommandTrace } from '../../src/telemetry/otlp.ts';
import { asReadableSpans } from './readable-spans.ts';

const TRACE: CommandTrace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  callerId: '00f067aa0ba902b7',
  resource: { 'service.name': 'podwire', 'host.name': undefined },
  version: '1.2.3',
  startedUnixNs: 1_790_000_000_123_456_789n,
  spans: [
    {
      id: '1111111111111111',
      parentId: '00f067aa0ba902b7',
      name: 'podwire ADD',
      kind: 'server',
      beginMs: 0,
      endMs: 46.123456,
      attributes: { 'cni.command': 'ADD', 'cni.code': 11, ratio: 0.5, absent: undefined },
      error: 'API server "x" failed',
    },
    {
      id: '2222222222222222',
      parentId: '1111111111111111',
      name: 'GET nodes',
      kind: 'client',
      beginMs: 1.5,
      endMs: 9,
      attributes: { 'http.response.status_code': 200 },
    },
  ],
};

it('is what the transformer of OpenTelemetry makes of the same spans', () => {
  const line = formatOtlp(TRACE);
  const official = JsonTraceSerializer.serializeRequest(asReadableSpans(line)) ?? new Uint8Array();
  expect(JSON.parse(line)).toEqual(JSON.parse(Buffer.from(official).toString()));
});

it('masks what looks like a token, and cuts a long message', () => {
  const [first] = TRACE.spans;
  const failed = (error: string) => formatOtlp({ ...TRACE, spans: first === undefined ? [] : [{ ...first, error }] });
  expect(failed('Bearer c2lnbmF0dXJl')).toContain('"message":"Bearer (token)"');
  expect(failed('x'.repeat(1e6)).length).toBeLessThan(10_000);
});

it('is one line, with times in nanoseconds', () => {
  const line = formatOtlp(TRACE);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(line).toContain('"startTimeUnixNano":"1790000000123456789","endTimeUnixNano":"1790000000169580245"');
});

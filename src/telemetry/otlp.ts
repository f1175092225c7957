import { maskTokens, MAX_CHARACTERS } from '../log/log-line.ts';
import type { Span, SpanAttributes } from './spans.ts';

/** The spans of one command, and what they share. */
export interface CommandTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span that called podwire, if one did. */
  readonly callerId: string | undefined;
  /** Of the program and the machine. */
  readonly resource: SpanAttributes;
  readonly version: string;
  /** When the process started, in nanoseconds since 1970. */
  readonly startedUnixNs: bigint;
  readonly spans: readonly Span[];
}

/**
 * Formats spans as one line of an OTLP file: an ExportTraceServiceRequest in the JSON encoding of OTLP.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding and
 *   https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
export function formatOtlp(trace: CommandTrace): string {
  const { resource, version, spans } = trace;
  const scope = { name: 'podwire', version };
  return `${JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: formatAttributes(resource), droppedAttributesCount: 0 },
        scopeSpans: [{ scope, spans: spans.map((span) => formatSpan(span, trace)) }],
      },
    ],
  })}\n`;
}

function formatSpan(span: Span, { traceId, callerId, startedUnixNs }: CommandTrace) {
  const unixNs = (ms: number) => String(startedUnixNs + BigInt(Math.round(ms * 1e6)));
  const isRemote = span.parentId !== undefined && span.parentId === callerId;
  return {
    traceId,
    spanId: span.id,
    parentSpanId: span.parentId,
    name: span.name,
    kind: KINDS[span.kind],
    startTimeUnixNano: unixNs(span.beginMs),
    endTimeUnixNano: unixNs(span.endMs),
    attributes: formatAttributes(span.attributes),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    status:
      span.error === undefined
        ? { code: STATUS.unset }
        : { code: STATUS.error, message: maskTokens(span.error).slice(0, MAX_CHARACTERS) },
    links: [],
    droppedLinksCount: 0,
    flags: SAMPLED | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0),
  };
}

/** SpanKind of trace.proto. */
const KINDS = { internal: 1, server: 2, client: 3 } as const;
/** Status.StatusCode of trace.proto. */
const STATUS = { unset: 0, error: 2 } as const;
/** The flag of W3C Trace Context, and SpanFlags of trace.proto: whether the parent is in another process. */
const SAMPLED = 1;
const HAS_IS_REMOTE = 256;
const IS_REMOTE = 512;

function formatAttributes(attributes: SpanAttributes): readonly OtlpAttribute[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: formatValue(value) }],
  );
}

/** KeyValue of common.proto. */
interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, string | number>>;
}

function formatValue(value: string | number): OtlpAttribute['value'] {
  if (typeof value === 'string') return { stringValue: value };
  return Number.isSafeInteger(value) ? { intValue: value } : { doubleValue: value };
}

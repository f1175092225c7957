import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../json/json.ts';

/** A span of a file of OTLP lines. */
export interface ReadSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly name: string;
  /** Nanoseconds since 1970. */
  readonly beginNs: bigint;
  readonly endNs: bigint;
  readonly attributes: ReadonlyMap<string, string>;
  /** Why it failed. */
  readonly error: string | undefined;
}

/** The spans of one trace, in the order of their begin. */
export interface ReadTrace {
  readonly traceId: string;
  readonly spans: readonly ReadSpan[];
}

/**
 * Reads the traces of a file of OTLP lines, in the order of their begin. Also reads the lines of other programs. A line that is
 * not OTLP is left out: the last one of a full disk can be incomplete.
 *
 * @see https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 */
export function readTraces(text: string): readonly ReadTrace[] {
  const spans = text
    .split('\n')
    .flatMap(parseLine)
    .toSorted((left, right) => compare(left.beginNs, right.beginNs) || compare(right.endNs, left.endNs));
  return [...Map.groupBy(spans, ({ traceId }) => traceId)].map(([traceId, ofTrace]) => ({ traceId, spans: ofTrace }));
}

function compare(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function parseLine(line: string): readonly ReadSpan[] {
  let request: JsonObject;
  try {
    request = parseJsonObject(line);
  } catch {
    return [];
  }
  return objectsIn(request, 'resourceSpans')
    .flatMap((resource) => objectsIn(resource, 'scopeSpans'))
    .flatMap((scope) => objectsIn(scope, 'spans'))
    .flatMap(parseSpan);
}

function parseSpan(span: JsonObject): readonly ReadSpan[] {
  const { traceId, spanId, parentSpanId, name, startTimeUnixNano, endTimeUnixNano, status } = span;
  const [beginNs, endNs] = [nanoseconds(startTimeUnixNano), nanoseconds(endTimeUnixNano)];
  if (typeof traceId !== 'string' || typeof spanId !== 'string' || typeof name !== 'string') return [];
  if (beginNs === undefined || endNs === undefined) return [];
  const attributes = objectsIn(span, 'attributes').flatMap(({ key, value }): [string, string][] =>
    typeof key === 'string' && isJsonObject(value) ? [[key, textOf(Object.values(value)[0])]] : [],
  );
  const { code, message } = isJsonObject(status) ? status : {};
  return [
    {
      traceId,
      id: spanId,
      parentId: typeof parentSpanId === 'string' ? parentSpanId : '',
      name,
      beginNs,
      endNs,
      attributes: new Map(attributes),
      error: code === FAILED ? textOf(message ?? 'failed') : undefined,
    },
  ];
}

/** Status.StatusCode of trace.proto. */
const FAILED = 2;

function nanoseconds(value: JsonValue | undefined): bigint | undefined {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

function objectsIn(parent: JsonObject, key: string): readonly JsonObject[] {
  const list = parent[key];
  return isJsonList(list) ? list.filter(isJsonObject) : [];
}

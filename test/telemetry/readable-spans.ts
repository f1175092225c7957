import type { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../../src/json/json.ts';

/** What the SDK of OpenTelemetry gives to the transformer. */
type ReadableSpans = Parameters<typeof JsonTraceSerializer.serializeRequest>[0];

/** The spans of a line of OTLP, as the SDK of OpenTelemetry has them. */
export function asReadableSpans(line: string): ReadableSpans {
  return objectsIn(parseJsonObject(line), 'resourceSpans').flatMap((resourceSpans) => {
    const resource = resourceOf(attributesOf(objectIn(resourceSpans, 'resource')));
    return objectsIn(resourceSpans, 'scopeSpans').flatMap((scopeSpans) => {
      const { name, version } = objectIn(scopeSpans, 'scope');
      const instrumentationScope = { name: textOf(name), version: textOf(version) };
      return objectsIn(scopeSpans, 'spans').map((span) => ({ ...readableSpan(span), resource, instrumentationScope }));
    });
  });
}

function readableSpan(span: JsonObject) {
  const text = (key: string) => textOf(span[key]);
  const flags = Number(span['flags']);
  const status = objectIn(span, 'status');
  const [startTime, endTime] = [hrTime(text('startTimeUnixNano')), hrTime(text('endTimeUnixNano'))];
  const parent = span['parentSpanId'];
  const context = { traceId: text('traceId'), traceFlags: flags & 0xff };
  return {
    name: text('name'),
    kind: Number(span['kind']) - 1,
    spanContext: () => ({ ...context, spanId: text('spanId') }),
    ...(typeof parent === 'string' && {
      parentSpanContext: { ...context, spanId: parent, isRemote: (flags & 512) !== 0 },
    }),
    startTime,
    endTime,
    status: { code: Number(status['code']), ...('message' in status && { message: textOf(status['message']) }) },
    attributes: attributesOf(span),
    links: [],
    events: [],
    duration: hrTime('0'),
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function resourceOf(attributes: Record<string, string | number>) {
  const resource = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes).map(([key, value]): [string, string | number] => [key, value]),
  };
  return resource;
}

function attributesOf(parent: JsonObject): Record<string, string | number> {
  const pairs = objectsIn(parent, 'attributes').map(({ key, value }): [string, string | number] => {
    const [member] = Object.values(isJsonObject(value) ? value : {});
    return [textOf(key), typeof member === 'number' ? member : textOf(member)];
  });
  return Object.fromEntries(pairs);
}

function hrTime(nanoseconds: string): [number, number] {
  const value = BigInt(nanoseconds);
  return [Number(value / 1_000_000_000n), Number(value % 1_000_000_000n)];
}

function objectIn(parent: JsonObject, key: string): JsonObject {
  const value: JsonValue = parent[key] ?? null;
  return isJsonObject(value) ? value : {};
}

function objectsIn(parent: JsonObject, key: string): readonly JsonObject[] {
  const list: JsonValue = parent[key] ?? null;
  return isJsonList(list) ? list.filter(isJsonObject) : [];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

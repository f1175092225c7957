/** The trace that a caller has begun. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** The span that called podwire: 16 hexadecimal digits. */
  readonly parentId: string;
  /** Whether the caller records its own spans. */
  readonly isSampled: boolean;
}

/**
 * Parses the variable TRACEPARENT.
 *
 * @returns undefined if it is not valid: then the specification demands a new trace
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceContext(text: string): TraceContext | undefined {
  const [, version, traceId = '', parentId = '', flags = '', rest] = TRACEPARENT.exec(text) ?? [];
  const isOfVersion0 = version === '00';
  if (version === undefined || version === 'ff' || (isOfVersion0 && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

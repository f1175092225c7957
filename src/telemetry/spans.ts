/** The time that one part of a command took. */
export interface Span {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly parentId: string | undefined;
  readonly name: string;
  /** `client`: a request to another program, over a network. */
  readonly kind: 'server' | 'internal' | 'client';
  /** Milliseconds since the process started. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Why it failed. */
  readonly error?: string | undefined;
}

export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

/** A span that has not ended. */
export interface OpenSpan {
  readonly id: string;
  /** Ends the span. Only the first call has an effect. */
  end(outcome?: { readonly error?: string | undefined; readonly attributes?: SpanAttributes }): void;
}

/** What a span begins with. */
export interface SpanStart extends Pick<Span, 'name' | 'parentId'> {
  readonly kind?: Span['kind'];
  readonly beginMs?: number;
  readonly attributes?: SpanAttributes;
}

/** The spans of one command. */
export interface SpanRecorder {
  begin(start: SpanStart): OpenSpan;
  /** Ends what is still open, and returns all spans in the order of their begin. */
  finish(): readonly Span[];
}

/**
 * Opens a recorder of spans.
 *
 * @param clock milliseconds since the process started
 * @param makeId a new random id: 16 hexadecimal digits
 */
export function openSpanRecorder(clock: () => number, makeId: () => string): SpanRecorder {
  // In the order of their begin, which the clock cannot always tell.
  const spans: (Span | undefined)[] = [];
  const open = new Set<OpenSpan>();
  return {
    begin({ name, parentId, kind = 'internal', beginMs = clock(), attributes }) {
      const id = makeId();
      const index = spans.push(undefined) - 1;
      const span: OpenSpan = {
        id,
        end: (outcome = {}) => {
          if (!open.delete(span)) return;
          const all = { ...attributes, ...outcome.attributes };
          spans[index] = { id, parentId, name, kind, beginMs, endMs: clock(), attributes: all, error: outcome.error };
        },
      };
      open.add(span);
      return span;
    },
    finish() {
      for (const span of open) span.end();
      return spans.filter((span) => span !== undefined).toSorted((left, right) => left.beginMs - right.beginMs);
    },
  };
}

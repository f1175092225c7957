import { describe, expect, it } from 'vitest';
import { parseTraceContext } from '../../src/telemetry/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

describe('TRACEPARENT', () => {
  it('names the trace and the caller', () =>
    expect(parseTraceContext(`00-${TRACE}-${PARENT}-01`)).toEqual({
      traceId: TRACE,
      parentId: PARENT,
      isSampled: true,
    }));
  it('can say that the caller records nothing', () =>
    expect(parseTraceContext(`00-${TRACE}-${PARENT}-02`)?.isSampled).toBe(false));
  it('of a later version may have more fields', () =>
    expect(parseTraceContext(`01-${TRACE}-${PARENT}-01-more`)?.traceId).toBe(TRACE));

  const ignores = (why: string, text: string) => it(why, () => expect(parseTraceContext(text)).toBeUndefined());
  ignores('nothing', '');
  ignores('the version ff', `ff-${TRACE}-${PARENT}-01`);
  ignores('more fields in version 00', `00-${TRACE}-${PARENT}-01-more`);
  ignores('a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`);
  ignores('a caller of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`);
  ignores('upper case', `00-${TRACE.toUpperCase()}-${PARENT}-01`);
  ignores('a short id', `00-${TRACE.slice(1)}-${PARENT}-01`);
});

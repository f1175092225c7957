import { describe, expect, it } from 'vitest';
import { CniError, ERROR_CODE } from '../../src/cni/error.ts';

describe('CniError', () => {
  it('has no details unless it is given some', () =>
    expect(new CniError(ERROR_CODE.internal, 'broken').details).toBe(''));
  it('keeps the code of another program, which may be unknown here', () =>
    expect(new CniError(4711, 'x').code).toBe(4711));
  it('keeps its cause for the log', () => {
    const cause = new Error('ECONNREFUSED');
    expect(new CniError(ERROR_CODE.tryAgainLater, 'the API server refuses', { cause }).cause).toBe(cause);
  });
});

describe('ERROR_CODE', () => {
  it('has each code once', () => {
    const codes = Object.values(ERROR_CODE);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

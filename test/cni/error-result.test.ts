import { describe, expect, it } from 'vitest';
import { CniError } from '../../src/cni/error.ts';
import { formatError } from '../../src/cni/error-result.ts';

describe('formatError', () => {
  it('has the keys of the specification', () =>
    expect(formatError(new CniError(7, 'bad mtu', { details: 'more', cause: new Error('hidden') }), '1.0.0')).toEqual({
      cniVersion: '1.0.0',
      code: 7,
      msg: 'bad mtu',
      details: 'more',
    }));
  it('leaves out empty details', () =>
    expect(formatError(new CniError(7, 'bad mtu'), '1.1.0')).toEqual({ cniVersion: '1.1.0', code: 7, msg: 'bad mtu' }));
  it('ends the message with the number of the finding', () =>
    expect(formatError(new CniError(7, 'bad mtu', { finding: 'PW102' }), '1.1.0')).toMatchObject({
      msg: 'bad mtu [PW102]',
    }));
  it.each([-1, 0, 1.5, Number.NaN, Infinity])('the code %d, which libcni cannot read, becomes 999', (code) =>
    expect(formatError(new CniError(code, 'x'), '1.1.0')).toMatchObject({ code: 999 }),
  );
});

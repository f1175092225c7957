import { describe, expect, it } from 'vitest';
import { pathPart, quoteName } from '../../src/cluster/object-name.ts';

describe('a name in a path', () => {
  it('is one segment of the path, whatever it contains', () =>
    expect([pathPart('web-1'), pathPart('a/../b?c')]).toEqual(['web-1', 'a%2F..%2Fb%3Fc']));
  it.each(['', '.', '..', '\ud800'])('%j is not valid', (name) =>
    expect(() => pathPart(name)).toThrow('not the name of a Kubernetes object'),
  );
});

describe('a name in a message', () => {
  it('is plain if it is valid, otherwise in quotes, and is cut', () => {
    expect([quoteName('web-1.a'), quoteName('Web 1'), quoteName('x'.repeat(400)).length]).toEqual([
      'web-1.a',
      '"Web 1"',
      302,
    ]);
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha1 } from '../../src/system/sha1.ts';

it('the digest of any text is that of node:crypto', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(sha1(text)).toBe(createHash('sha1').update(text).digest('hex'));
    }),
  );
});

// FIPS 180-4 has this example.
it('sha1 returns 40 hexadecimal digits', () => expect(sha1('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d'));

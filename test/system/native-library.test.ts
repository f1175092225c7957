import { describe, expect, it } from 'vitest';
import { openNativeLibrary } from '../../src/system/native-library.ts';

const libc = openNativeLibrary('libc.so.6', {
  bsearch: 'void *bsearch(const void *key, const void *base, size_t count, size_t size, void *compare)',
  close: 'int close(int fd)',
  getpid: 'int getpid()',
  missing: 'int podwire_has_no_such_function()',
  read: 'long read(int fd, void *buffer, size_t count)',
  strerror: 'const char *strerror(int errno)',
  strlen: 'size_t strlen(const char *text)',
} as const);

describe('a call of a C function', () => {
  it('returns a number', () => expect(libc.call('getpid')).toBe(process.pid));
  it('returns a string', () => expect(libc.callForText('strerror', 2)).toBe('No such file or directory'));
  it('passes a string', () => expect(libc.call('strlen', 'ü')).toBe(2));
  it('passes bytes', () => expect(libc.call('strlen', Buffer.from('abc\0def'))).toBe(3));
  it('leaves its errno', () => {
    expect(libc.call('close', -1)).toBe(-1);
    expect(libc.errno()).toBe(9);
  });
  it('can run on another thread', () => expect(libc.callOnThread('read', -1, Buffer.alloc(1), 1)).resolves.toBe(-1));
  it('that the library does not have is an error', () =>
    expect(() => libc.call('missing')).toThrow(/podwire_has_no_such_function/));
});

describe('a callback', () => {
  it.each([
    ['found', 0],
    ['absent', 1],
  ])('returns its number to C: %s', (_, order) => {
    const element = Buffer.alloc(1);
    let calls = 0;
    using compare = libc.makeCallback('int (void *key, void *element)', (_key, pointer) => {
      calls++;
      expect(pointer).not.toBe(0n);
      return order;
    });
    const found = libc.callForPointer('bsearch', element, element, 1, 1, compare.pointer);
    expect({ calls, isFound: found !== 0n }).toEqual({ calls: 1, isFound: order === 0 });
  });
});

it('a library that does not exist is an error', () =>
  expect(() => openNativeLibrary('libpodwire-absent.so', {})).toThrow(/cannot open shared object/));

it('a library may be the executable itself', () => {
  const node = openNativeLibrary(null, { version: 'const char *OpenSSL_version(int part)' });
  expect(node.callForText('version', 0)).toMatch(
    new RegExp(`^OpenSSL ${process.versions.openssl.replace(/\+.*/, '')}`),
  );
});

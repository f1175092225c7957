import { openNativeLibrary } from './native-library.ts';

/**
 * SHA-1 in 40 hexadecimal digits, by the OpenSSL inside Node's executable. node:crypto does the same, but loading it takes longer than most
 * of what DEL does.
 */
export function sha1(text: string): string {
  const bytes = Buffer.from(text);
  const digest = Buffer.alloc(20);
  openNativeLibrary(null, PROTOTYPES).call('SHA1', bytes, bytes.length, digest);
  return digest.toString('hex');
}

const PROTOTYPES = { SHA1: 'void *SHA1(const void *bytes, size_t length, void *digest)' } as const;
